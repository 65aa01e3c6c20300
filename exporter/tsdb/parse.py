"""Bytes of the query API to numbers, fast: label sets stay raw bytes, numbers become one flat array.

A quote inside a JSON string is always escaped, so a run of bytes such as `"]},{"metric":` can only be
structure: splitting there does the work per series in C. An answer laid out in another way is read slowly.
A range answer may hold millions of points: it is read in blocks of whole rows that stay in the processor's
cache, without a second copy of the whole.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterable, Iterator
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
        values, invalid = _column(keys, texts)
    except ValueError:
        keys, texts = _rows_of_any_layout(body, "vector")
        values, invalid = _numbers_or_refusal(_column, keys, texts)
    return Vector(keys, values, invalid | {"nan": invalid["nan"] - histograms, "histogram": histograms})


def matrix(body: bytes, times: Times) -> Matrix:
    """Read the answer of `/api/v1/query_range` asked for `times`, shape (T,), evenly spaced Unix seconds.

    Raises `TsdbError` unless it is a whole success that holds no other times.
    """
    try:
        keys, values, invalid = _grid(_blocks(body), times)
    except ValueError:
        return _matrix_of_any_layout(body, times)
    return Matrix(keys, values, invalid | {"histogram": 0})


def _matrix_of_any_layout(body: bytes, times: Times) -> Matrix:
    """Where histograms stand between the samples, or the whole is not laid out as the servers do it."""
    found = list(_HISTOGRAMS.finditer(body))
    histograms, empty = sum(it[2].count(b"{") for it in found), sum(it[1] == b"}" for it in found)
    body = _HISTOGRAMS.sub(_without_histograms, body)
    try:
        keys, values, invalid = _grid(_blocks(body), times)
    except ValueError:
        rows = _rows_of_any_layout(body, "matrix")
        keys, values, invalid = _numbers_or_refusal(_grid, [rows], times)
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
    start, end = _ends_of_rows(body, b"]]}]", "matrix")
    while (cut := body.find(_NEXT_ROW, start + BLOCK_BYTES, end)) >= 0:
        yield _matrix_rows(body[start:cut])
        start = cut + len(_NEXT_ROW)
    yield _matrix_rows(body[start:end])


def _matrix_rows(block: bytes) -> Rows:
    texts, keys = block.split(_NEXT_ROW), []
    for i, text in enumerate(texts):
        key, found, texts[i] = text.partition(_SAMPLES)
        if not found:
            raise _OtherLayout
        keys.append(key + b"}")
    return keys, texts


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


def _grid(blocks: Iterable[Rows], times: Times) -> tuple[list[bytes], Values, Invalid]:
    """Keys, and the samples of every row where their times belong, (S, T); ValueError for no samples."""
    keys, parts = list[bytes](), [np.empty((0, len(times)))]
    invalid = {"nan": 0, "inf": 0}
    for some, texts in blocks:
        keys += some
        listed, bad = _listed(b",".join(texts).translate(None, b'"[]'))
        parts.append(_placed(listed, texts, times))
        invalid = {reason: count + bad[reason] for reason, count in invalid.items()}
    return keys, np.concatenate(parts), invalid


def _placed(listed: list[Any], texts: list[bytes], times: Times) -> Values:
    """The numbers of `texts`, (time, value) row after row, at their times: one row for each text."""
    if _complete(listed, len(texts), times):
        return _floats(listed[1::2]).reshape(len(texts), len(times))
    out = np.full((len(texts), len(times)), np.nan)
    _place(out, _floats(listed).reshape(-1, 2), [text.count(b"[") + 1 for text in texts], times)
    return out


def _complete(listed: list[Any], rows: int, times: Times) -> bool:
    """Whether each row has a sample at every time: times rise, so the first and last of each row tell."""
    row = 2 * len(times)
    first, last = [int(times[0])] * rows, [int(times[-1])] * rows
    return len(listed) == rows * row and listed[::row] == first and listed[row - 2 :: row] == last


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
    """NaN for None; otherwise packed by `struct`, which takes half as long as NumPy does."""
    out = np.empty(len(listed))
    try:
        struct.pack_into(f"{len(listed)}d", out.data, 0, *listed)
    except struct.error:
        return _floats_or_nan(listed)
    return out


def _floats_or_nan(listed: list[Any]) -> Values:
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
