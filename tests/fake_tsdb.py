"""A Prometheus in a few lines: answers the query API over `httpx.MockTransport` from functions of time."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs

import httpx
import numpy as np

Curve = Callable[[np.ndarray], np.ndarray]
"""Unix seconds (T,) -> values (T,), NaN where there is no sample."""


@dataclass
class FakeTsdb:
    """Expressions by their text; `trouble`, while set, answers every request instead, `before` some."""

    series: dict[str, list[tuple[dict[str, str], Curve]]] = field(default_factory=dict)
    before: Callable[[httpx.Request], httpx.Response | None] | None = None
    trouble: Callable[[httpx.Request], httpx.Response] | None = None
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def transport(self) -> httpx.MockTransport:
        """What a client is given instead of a network."""
        return httpx.MockTransport(self._answer)

    def count(self, path: str) -> int:
        """How many requests went to a path that ends so."""
        return sum(it.endswith(path) for it, _ in self.asked)

    def refused(self, expr: str) -> httpx.Response:
        """What it says of an expression that it cannot read."""
        error = f'1:{len(expr) + 1}: parse error: unexpected end of input in "{expr}"'
        return httpx.Response(400, json={"status": "error", "errorType": "bad_data", "error": error})

    def _answer(self, request: httpx.Request) -> httpx.Response:
        body = parse_qs(request.content.decode()) or parse_qs(request.url.query.decode())
        form = {name: values[0] for name, values in body.items()}
        self.asked.append((request.url.path, form))
        if self.trouble:
            return self.trouble(request)
        if self.before and (answer := self.before(request)):
            return answer
        if request.url.path.endswith("/query"):
            return self._query(form["query"], float(form["time"]))
        if request.url.path.endswith("/query_range"):
            return self._query_range(form)
        return httpx.Response(404, text="not found")

    def _found(self, query: str) -> list[tuple[dict[str, str], Curve]]:
        named = re.match(r"\((.*)\n\) and on", query, re.DOTALL)
        return self.series.get(named[1] if named else query, [])

    def _query(self, query: str, time: float) -> httpx.Response:
        if query == "1":
            return _success("scalar", [time, "1"])
        result = []
        for labels, curve in self._found(query):
            value = curve(np.array([time]))[0]
            if value == value:
                result.append({"metric": labels, "value": [time, _text(value)]})
        return _success("vector", result)

    def _query_range(self, form: dict[str, str]) -> httpx.Response:
        start, end, step = (float(form[name]) for name in ("start", "end", "step"))
        times = np.arange(start, end + step / 2, step)
        result = []
        for labels, curve in self._found(form["query"]):
            pairs = zip(times.tolist(), curve(times).tolist(), strict=True)
            values = [[time, _text(value)] for time, value in pairs if value == value]
            if values:
                result.append({"metric": labels, "values": values})
        return _success("matrix", result)


def _success(kind: str, result: object) -> httpx.Response:
    data = {"status": "success", "data": {"resultType": kind, "result": result}}
    text = json.dumps(data, separators=(",", ":"))
    return httpx.Response(200, content=text.encode(), headers={"Content-Type": "application/json"})


def _text(value: float) -> str:
    return {np.inf: "+Inf", -np.inf: "-Inf"}.get(value) or repr(float(value))
