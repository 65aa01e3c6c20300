"""Bytes of the query API to numbers, fast: label sets stay raw bytes, numbers become one flat array.

A quote inside a JSON string is always escaped, so a run of bytes such as `"]},{"metric":` can only be
structure: splitting there does the work per series in C. An answer laid out in another way is read slowly.
A range answer may hold millions of points: it is read in blocks of whole rows that stay in the processor's
cache, without a second copy of the whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, ParamSpec, TypeVar

import orjson

from exporter.tsdb.answer import success
from exporter.tsdb.errors import Permanent
from exporter.tsdb.numbers import Invalid, Rows, Text, Times, Values, column, grid

P = ParamSpec("P")
T = TypeVar("T")

BLOCK_BYTES = 1 << 17
"""A range answer is read in blocks of whole rows, each of so many bytes and the rest of a row."""
_FIRST_ROW, _NEXT_ROW, _SAMPLES = b'"result":[{"metric":', b']]},{"metric":', b'},"values":[['
_HISTOGRAM = re.compile(rb'\},"histogram":\[([^,\]]*),\{[^{}]*\}\]')
_HISTOGRAMS = re.compile(rb'([}\]]),"histograms":\[((?:\[[^,\]]*,\{[^{}]*\}\],?)+)\]')


class _OtherLayout(ValueError):
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
        values, invalid = column(keys, texts)
    except ValueError:
        keys, texts = _rows_of_any_layout(body, "vector")
        values, invalid = _numbers_or_refusal(column, keys, texts)
    return Vector(keys, values, invalid | {"nan": invalid["nan"] - histograms, "histogram": histograms})


def matrix(body: bytes, times: Times) -> Matrix:
    """Read the answer of `/api/v1/query_range` asked for `times`, shape (T,), evenly spaced Unix seconds.

    Raises `TsdbError` unless it is a whole success that holds no other times.
    """
    try:
        keys, values, invalid = grid(_blocks(body), times)
    except ValueError:
        return _matrix_of_any_layout(body, times)
    return Matrix(keys, values, invalid | {"histogram": 0})


def _matrix_of_any_layout(body: bytes, times: Times) -> Matrix:
    """Where histograms stand between the samples, or the whole is not laid out as the servers do it."""
    found = list(_HISTOGRAMS.finditer(body))
    histograms, empty = sum(it[2].count(b"{") for it in found), sum(it[1] == b"}" for it in found)
    body = _HISTOGRAMS.sub(_without_histograms, body)
    try:
        keys, values, invalid = grid(_blocks(body), times)
    except ValueError:
        rows = _rows_of_any_layout(body, "matrix")
        keys, values, invalid = _numbers_or_refusal(grid, [rows], times)
    return Matrix(keys, values, invalid | {"nan": invalid["nan"] - empty, "histogram": histograms})


def _vector_rows(body: bytes) -> Rows:
    start, end = _ends_of_rows(body, b'"]}]', "vector")
    value = body.index(b'},"value":[', start)
    number = body.index(b',"', value + 11) + 2
    separator = body[value:number]
    parts = body[start:end].replace(b'"]},{"metric":', b"\n").replace(separator, b"}\n").split(b"\n")
    return parts[0::2], parts[1::2]


def _blocks(body: bytes) -> Iterator[Rows]:
    """The rows of a range answer, some of them at a time; ValueError where they are no such rows."""
    at, end = _ends_of_rows(body, b"]]}]", "matrix")
    view, keys, texts, begun = memoryview(body), list[bytes](), list[Text](), at
    while at < end:
        samples, stop = body.find(_SAMPLES, at, end), body.find(_NEXT_ROW, at, end)
        stop = end if stop < 0 else stop
        if not at <= samples < stop:
            raise _OtherLayout
        keys.append(body[at : samples + 1])
        texts.append(view[samples + len(_SAMPLES) : stop])
        at = stop + len(_NEXT_ROW)
        if at - begun > BLOCK_BYTES or at >= end:
            yield keys, texts
            keys, texts, begun = [], [], at


def _ends_of_rows(body: bytes, last: bytes, kind: str) -> tuple[int, int]:
    """Where the first label object begins and the last samples end, once all around them is well."""
    start, end = body.find(_FIRST_ROW), body.rfind(last)
    if start < 0 or end < start:
        raise _OtherLayout
    around = body[:start] + b'"result":[]' + body[end + len(last) :]
    if success(around).get("resultType") != kind:
        raise _OtherLayout
    return start + len(_FIRST_ROW), end


def _rows_of_any_layout(body: bytes, kind: Literal["vector", "matrix"]) -> Rows:
    """Rows by way of Python objects, with their samples written as the servers write them."""
    data = success(body)
    found, result = data.get("resultType"), data["result"]
    if (found, kind) == ("scalar", "vector"):
        result = [{"metric": {}, "value": result}]
    elif found != kind:
        words = f"the expression gives a {found}, expected a {kind}: one value per series and time"
        raise Permanent("rejected", words)
    try:
        keys = [orjson.dumps(dict(row["metric"])) for row in result]
        if kind == "vector":
            return keys, [row["value"][1].encode() for row in result]
        return keys, [
            b"],[".join(b'%d,"%b"' % (at, text.encode()) for at, text in row["values"]) for row in result
        ]
    except (LookupError, TypeError, ValueError, AttributeError):
        raise _other_service() from None


def _without_histograms(found: re.Match[bytes]) -> bytes:
    if found[1] == b"]":
        return b"]"
    first_time = found[2][1:].split(b",", 1)[0]
    return b'},"values":[[%s,"NaN"]]' % first_time


def _numbers_or_refusal(read: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    try:
        return read(*arguments, **named)
    except ValueError:
        raise _other_service() from None


def _other_service() -> Permanent:
    return Permanent("malformed", "the answer holds other rows than those of a TSDB: check the url")
