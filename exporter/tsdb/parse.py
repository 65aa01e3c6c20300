"""Bytes of the query API to numbers, fast: label sets stay raw bytes, numbers become one flat array.

A quote inside a JSON string is always escaped, so a run of bytes such as `"]},{"metric":` can only be
structure: splitting there does the work per series in C. An answer laid out in another way is read slowly.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import orjson
from numpy.typing import NDArray

from exporter.tsdb.answer import success
from exporter.tsdb.errors import Permanent

Values: TypeAlias = NDArray[np.float64]
Times: TypeAlias = NDArray[np.int64]
Invalid: TypeAlias = dict[str, int]
Rows: TypeAlias = tuple[list[bytes], list[bytes]]
"""Label objects, and beside each the bytes of its samples."""

BLOCK_POINTS = 16_384
_FIRST_ROW = b'"result":[{"metric":'
_HISTOGRAM = re.compile(rb'\},"histogram":\[([^,\]]*),\{[^{}]*\}\]')
_HISTOGRAMS = re.compile(rb'([}\]]),"histograms":\[((?:\[[^,\]]*,\{[^{}]*\}\],?)+)\]')


class _OtherLayout(Exception):
    """The answer is not written the way that Prometheus and VictoriaMetrics write it."""


@dataclass(frozen=True, slots=True)
class Vector:
    """One instant answer.

    `keys` are the label objects (JSON bytes as the server wrote them), `values` has shape (S,) and NaN where
    a sample is no number to score, `invalid` counts those as `nan`, `inf` and `histogram`.
    """

    keys: list[bytes]
    values: Values
    invalid: Invalid


@dataclass(frozen=True, slots=True)
class Matrix:
    """One range answer over the times it was asked for: like `Vector`, with `values` of shape (S, T)."""

    keys: list[bytes]
    values: Values
    invalid: Invalid


def vector(body: bytes) -> Vector:
    """Read the answer of `/api/v1/query`. Raises `TsdbError` unless it is a whole success."""
    histograms = 0
    if b'},"histogram":[' in body:
        body, histograms = _HISTOGRAM.subn(rb'},"value":[\1,"NaN"]', body)
    try:
        keys, texts = _vector_rows(body)
    except _OtherLayout:
        keys, texts = _vector_rows_of_any_layout(body)
    values, invalid = _finite(b",".join(texts))
    if len(values) != len(keys):
        raise _no_numbers()
    invalid["histogram"] = histograms
    invalid["nan"] -= histograms
    return Vector(keys, values, invalid)


def matrix(body: bytes, times: Times) -> Matrix:
    """Read the answer of `/api/v1/query_range` asked for `times`, shape (T,), evenly spaced Unix seconds.

    Raises `TsdbError` unless it is a whole success that holds no other times.
    """
    histograms = 0
    if b'"histograms":[' in body:
        histograms = sum(found[2].count(b"{") for found in _HISTOGRAMS.finditer(body))
        body = _HISTOGRAMS.sub(_without_histograms, body)
    try:
        keys, texts = _matrix_rows(body)
    except _OtherLayout:
        keys, texts = _matrix_rows_of_any_layout(body)
    del body
    values = np.full((len(keys), len(times)), np.nan)
    invalid = _fill(values, texts, times)
    invalid["histogram"] = histograms
    return Matrix(keys, values, invalid)


def _vector_rows(body: bytes) -> Rows:
    start, end = _ends_of_rows(body, b'"]}]', "vector")
    value = body.find(b'},"value":[', start)
    number = body.find(b',"', value + 11) + 2
    separator = body[value:number]
    if (
        value < 0
        or number > end
        or body.count(separator, start, end) != body.count(b'"]},{"metric":', start, end) + 1
    ):
        raise _OtherLayout
    parts = body[start:end].replace(b'"]},{"metric":', b"\n").replace(separator, b"}\n").split(b"\n")
    return parts[0::2], parts[1::2]


def _matrix_rows(body: bytes) -> Rows:
    start, end = _ends_of_rows(body, b"]]}]", "matrix")
    if body.count(b'},"values":[[', start, end) != body.count(b']]},{"metric":', start, end) + 1:
        raise _OtherLayout
    parts = body[start:end].replace(b']]},{"metric":', b"\n").replace(b'},"values":[[', b"}\n").split(b"\n")
    return parts[0::2], parts[1::2]


def _ends_of_rows(body: bytes, last: bytes, kind: str) -> tuple[int, int]:
    """Where the first label object begins and the last samples end, once all around them is well."""
    start, end = body.find(_FIRST_ROW), body.rfind(last)
    if start < 0 or end < start:
        raise _OtherLayout
    around = body[:start] + b'"result":[]' + body[end + len(last) :]
    if success(around).get("resultType") != kind:
        raise _OtherLayout
    return start + len(_FIRST_ROW), end


def _vector_rows_of_any_layout(body: bytes) -> Rows:
    data = success(body)
    if data.get("resultType") == "scalar":
        return [b"{}"], [_number_text(data["result"])]
    rows = _rows(data, "vector")
    return [orjson.dumps(row["metric"]) for row in rows], [_number_text(row["value"]) for row in rows]


def _matrix_rows_of_any_layout(body: bytes) -> Rows:
    rows = _rows(success(body), "matrix")
    texts = [
        b"],[".join(b'%s,"%s"' % (orjson.dumps(time), text.encode()) for time, text in row["values"])
        for row in rows
    ]
    return [orjson.dumps(row["metric"]) for row in rows], texts


def _rows(data: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    found = data.get("resultType")
    if found != kind:
        raise Permanent(
            "rejected", f"the expression gives a {found}, expected a {kind}: one value per series and time"
        )
    return list(data["result"])


def _number_text(sample: list[Any]) -> bytes:
    return str(sample[1]).encode()


def _without_histograms(found: re.Match[bytes]) -> bytes:
    if found[1] == b"]":
        return b"]"
    first_time = found[2][1:].split(b",", 1)[0]
    return b'},"values":[[%s,"NaN"]]' % first_time


def _finite(text: bytes) -> tuple[Values, Invalid]:
    """The numbers that `text` lists with commas, NaN for what is not finite, and how many those are."""
    nan = inf = 0
    if b"N" in text or b"I" in text:
        nan, inf = text.count(b"NaN"), text.count(b"Inf")
        for word in (b"NaN", b"+Inf", b"-Inf"):
            text = text.replace(word, b"null")
    try:
        values = np.array(orjson.loads(b"[%b]" % text), dtype=np.float64)
    except (ValueError, TypeError):
        raise _no_numbers() from None
    return values, {"nan": nan, "inf": inf}


def _fill(out: Values, texts: list[bytes], times: Times) -> Invalid:
    """Write the samples of each row where their times belong, a bounded block of rows at once."""
    counts = [text.count(b"[") + 1 for text in texts]
    invalid = {"nan": 0, "inf": 0}
    first = 0
    while first < len(texts):
        last, points = first, 0
        while last < len(texts) and (points == 0 or points + counts[last] <= BLOCK_POINTS):
            points += counts[last]
            last += 1
        numbers, bad = _finite(b",".join(texts[first:last]).translate(None, b'"[]'))
        _place(out[first:last], numbers.reshape(-1, 2), np.array(counts[first:last]), times)
        invalid = {reason: count + bad[reason] for reason, count in invalid.items()}
        first = last
    return invalid


def _place(out: Values, samples: Values, counts: NDArray[np.int_], times: Times) -> None:
    """Write `samples`, (time, value) pairs row after row, into the rows of `out`."""
    step = times[1] - times[0] if len(times) > 1 else 1
    columns = (samples[:, 0] - times[0]) / step
    rows = np.repeat(np.arange(len(counts)), counts)
    whole = columns.astype(np.intp)
    if np.any(whole != columns) or whole.min() < 0 or whole.max() >= len(times):
        raise Permanent("malformed", "the answer holds times that were not asked for")
    out[rows, whole] = samples[:, 1]


def _no_numbers() -> Permanent:
    return Permanent(
        "malformed", "the answer holds samples that are not numbers: is this the address of a TSDB?"
    )
