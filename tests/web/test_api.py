"""The API: its documents have exactly the fields of docs/api.md, with the types that stand there."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from exporter.shown.status import (
    Drifting,
    DriftingSeries,
    Finding,
    QueryStatus,
    Service,
    Status,
    Strange,
    StrangeSeries,
)
from exporter.web.api import encoded, queries_document, series_document, status_document
from tests.web.serving import NOW, Fixed, a_portrait
from tests.web.test_app import client

ROW = re.compile(r"^\| `([\w.\[\]]+)` \| (number|text|boolean|labels|finding|drift)( \?)? \|", re.MULTILINE)
KINDS = {int: "number", float: "number", str: "text", bool: "boolean"}


def documented(section: str) -> dict[str, tuple[str, bool]]:
    """Field to (type, whether it may be null) of a section of docs/api.md."""
    text = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
    body = re.split(r"^#+ ", text.split(f"`{section}`\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]
    out = {name: (kind, bool(null)) for name, kind, null in ROW.findall(body)}
    for name, (kind, null) in list(out.items()):
        if kind in ("finding", "drift"):
            inner = documented(kind)
            out |= {f"{name}.{it}": found for it, found in inner.items()}
            out[name] = ("object", null)
    return {name: it for name, it in out.items() if it[0] != "object" or it[1]}


def fields(document: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every leaf of a document: its path and its type."""
    if isinstance(document, dict) and not path.endswith("labels"):
        for name, value in document.items():
            yield from fields(value, f"{path}.{name}" if path else name)
    elif isinstance(document, list):
        for it in document:
            yield from fields(it, f"{path}[]")
    else:
        kind = "labels" if isinstance(document, dict) else KINDS.get(type(document), "null")
        yield path, kind


def status() -> Status:
    """A state in which nothing is empty."""
    series = StrangeSeries("q", {"service": "a"}, 2.0, 9.0, 5.0, 4.0, 6.0)
    unknown = StrangeSeries("r", {}, 0.5, math.nan, math.nan, -math.inf, math.inf)
    return Status(
        "1.2.3",
        "abc",
        NOW,
        [
            QueryStatus("q", "up", "scored", 1),
            QueryStatus("r", "x", "failing", reason="rejected", detail="no"),
        ],
        Strange([Service("a", 1, [Finding(series, NOW - 60)])], 1, 1, [Finding(unknown)]),
        Drifting([DriftingSeries("q", {"service": "a"}, 3.5, math.nan, 0.5, 1.25)], 1),
        interval=60.0,
    )


DOCUMENTS = {
    "GET /api/v1/status": lambda: status_document(status(), (True, "ready")),
    "GET /api/v1/queries": lambda: queries_document(status()),
    "GET /api/v1/series?query=NAME&label=NAME=VALUE": lambda: series_document(
        a_portrait(), Fixed().pictures(a_portrait())
    ),
}


@pytest.mark.parametrize("section", DOCUMENTS)
def test_a_document_has_the_fields_that_are_documented(section: str) -> None:
    """Every field of the answer has a row, every row is in the answer, and the types agree."""
    found = json.loads(encoded(DOCUMENTS[section]()))
    known = documented(section)
    if "series?" in section:
        known |= documented("finding")
        known.pop("drift")
    kinds: dict[str, set[str]] = {}
    for path, kind in fields(found):
        kinds.setdefault(path, set()).add(kind)
    assert set(kinds) == set(known)
    for path, seen in kinds.items():
        kind, may_be_null = known[path]
        assert seen <= {kind, "null" if may_be_null else kind}, path


def test_a_series_without_drift_has_null_there() -> None:
    """The field stays, and its value is null."""
    assert series_document(a_portrait(drift=None), ())["drift"] is None


def test_no_answer_holds_what_json_cannot() -> None:
    """NaN and infinity are null in the bytes that are sent."""
    text = encoded(status_document(status(), (True, "ready"))).decode()
    assert "NaN" not in text
    assert "Infinity" not in text
    assert json.loads(text)["strange"]["nearest"][0]["upper"] is None


@pytest.mark.parametrize("path", ["status", "queries", "series?query=q&label=service%3Da"])
def test_the_api_answers_json(path: str) -> None:
    """Each endpoint is JSON that nobody may keep."""
    answer = client().get(f"/api/v1/{path}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()


def test_the_past_is_only_read_when_it_is_asked_for() -> None:
    """Without `past=true` the TSDB is left alone."""
    address = "/api/v1/series?query=q&label=service%3Da"
    assert client().get(address).json()["past"] == []
    assert [it["source"] for it in client().get(f"{address}&past=true").json()["past"]] == [
        "scores",
        "memory",
    ]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("series?query=q&label=service%3Db", 404),
        ("series?query=nothing", 404),
        ("series", 400),
        ("series?query=q&label=service", 400),
        ("nothing", 404),
    ],
)
def test_an_error_is_one_line_of_json(path: str, status: int) -> None:
    """An unknown series, a lacking name and an unknown path say so."""
    answer = client().get(f"/api/v1/{path}")
    assert answer.status_code == status
    assert list(answer.json()) == ["error"]
    assert "\n" not in answer.json()["error"]
