"""Bytes of the query API to numbers, fast: label sets stay raw bytes, numbers become one flat array.

A quote inside a JSON string is always escaped, so a run of bytes such as `"]},{"metric":` can only be
structure: splitting there does the work per series in C. An answer laid out in another way is read slowly.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, ParamSpec, TypeAlias, TypeVar

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

P = ParamSpec("P")
T = TypeVar("T")

BLOCK_POINTS = 16_384
"""Range samples are parsed in blocks of about so many, which stay in the processor's cache."""
_FIRST_ROW = b'"result":[{"metric":'
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
        values, invalid = _column(keys, texts)
    except ValueError:
        keys, texts = _rows_of_any_layout(body, "vector")
        values, invalid = _numbers_or_refusal(_column, keys, texts)
    return Vector(keys, values, invalid | {"nan": invalid["nan"] - histograms, "histogram": histograms})


def matrix(body: bytes, times: Times) -> Matrix:
    """Read the answer of `/api/v1/query_range` asked for `times`, shape (T,), evenly spaced Unix seconds.

    Raises `TsdbError` unless it is a whole success that holds no other times.
    """
    histograms = empty = 0
    if b'"histograms":[' in body:
        found = list(_HISTOGRAMS.finditer(body))
        histograms, empty = sum(it[2].count(b"{") for it in found), sum(it[1] == b"}" for it in found)
        body = _HISTOGRAMS.sub(_without_histograms, body)
    try:
        keys, texts = _matrix_rows(body)
        values, invalid = _grid(texts, times)
    except ValueError:
        keys, texts = _rows_of_any_layout(body, "matrix")
        values, invalid = _numbers_or_refusal(_grid, texts, times)
    return Matrix(keys, values, invalid | {"nan": invalid["nan"] - empty, "histogram": histograms})


def _vector_rows(body: bytes) -> Rows:
    start, end = _ends_of_rows(body, b'"]}]', "vector")
    value = body.index(b'},"value":[', start)
    number = body.index(b',"', value + 11) + 2
    separator = body[value:number]
    parts = body[start:end].replace(b'"]},{"metric":', b"\n").replace(separator, b"}\n").split(b"\n")
    return parts[0::2], parts[1::2]


def _matrix_rows(body: bytes) -> Rows:
    """As many copies of the body as can be avoided are: it may hold millions of points."""
    start, end = _ends_of_rows(body, b"]]}]", "matrix")
    rows, keys = body.split(b']]},{"metric":'), []
    rows[-1] = rows[-1][: len(rows[-1]) - (len(body) - end)]
    rows[0] = rows[0][start:]
    for i, row in enumerate(rows):
        key, _, rows[i] = row.partition(b'},"values":[[')
        keys.append(key + b"}")
    return keys, rows


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


def _column(keys: list[bytes], texts: list[bytes]) -> tuple[Values, Invalid]:
    """One number per key; ValueError where there is another count of them, or something else."""
    listed, invalid = _listed(b",".join(texts))
    if not len(listed) == len(texts) == len(keys):
        raise ValueError("not one number per row")
    return _floats(listed), invalid


def _grid(texts: list[bytes], times: Times) -> tuple[Values, Invalid]:
    """The samples of every row where their times belong, (S, T); ValueError where they are no samples."""
    out = np.full((len(texts), len(times)), np.nan)
    invalid = {"nan": 0, "inf": 0}
    rows = max(1, BLOCK_POINTS // len(times))
    for first in range(0, len(texts), rows):
        block = texts[first : first + rows]
        listed, bad = _listed(b",".join(block).translate(None, b'"[]'))
        if _complete(listed, len(block), times):
            out[first : first + rows] = _floats(listed[1::2]).reshape(len(block), -1)
        else:
            counts = [text.count(b"[") + 1 for text in block]
            _place(out[first : first + rows], _floats(listed).reshape(-1, 2), counts, times)
        invalid = {reason: count + bad[reason] for reason, count in invalid.items()}
    return out, invalid


def _complete(listed: list[Any], rows: int, times: Times) -> bool:
    """Whether each row has a sample at every time: times rise, so the first and last of each row tell."""
    row = 2 * len(times)
    whole = len(listed) == rows * row
    return whole and listed[::row] == [times[0]] * rows and listed[row - 2 :: row] == [times[-1]] * rows


def _place(out: Values, samples: Values, counts: list[int], times: Times) -> None:
    """Write `samples`, (time, value) pairs row after row, `counts` of them for each row, into `out`."""
    step = times[1] - times[0] if len(times) > 1 else 1
    exact = (samples[:, 0] - times[0]) / step
    columns = exact.astype(np.intp)
    if np.any(columns != exact) or columns.min() < 0 or columns.max() >= len(times):
        raise Permanent("malformed", "the answer holds times that were not asked for")
    out[np.repeat(np.arange(len(counts)), counts), columns] = samples[:, 1]


def _listed(text: bytes) -> tuple[list[Any], Invalid]:
    """What `text` lists with commas, None for what is not finite, and how many those are."""
    nan = inf = 0
    if b"N" in text or b"I" in text:
        nan, inf = text.count(b"NaN"), text.count(b"Inf")
        for word in (b"NaN", b"+Inf", b"-Inf"):
            text = text.replace(word, b"null")
    return orjson.loads(b"[%b]" % text), {"nan": nan, "inf": inf}


def _floats(listed: list[Any]) -> Values:
    try:
        return np.array(listed, dtype=np.float64)
    except TypeError as error:
        raise ValueError(str(error)) from None


def _numbers_or_refusal(read: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    try:
        return read(*arguments, **named)
    except ValueError:
        raise _other_service() from None


def _other_service() -> Permanent:
    return Permanent("malformed", "the answer holds other rows than those of a TSDB: check the url")
