"""The samples of an answer, text to arrays: the slowest part of reading, so most of it is done in C.

Where each row of a range answer has a sample at every time, which is nearly always so, its times are known
beforehand: they are blanked, and only the values are read.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np
import orjson
from numpy.typing import NDArray

from exporter.tsdb.errors import Permanent

Values: TypeAlias = NDArray[np.float64]
Times: TypeAlias = NDArray[np.int64]
Invalid: TypeAlias = dict[str, int]
Text: TypeAlias = bytes | memoryview
Rows: TypeAlias = tuple[list[bytes], Sequence[Text]]
"""Label objects, and beside each the bytes of its samples."""

_BETWEEN, _BLANK = (int.from_bytes(it, "little") for it in (b",       ", b"        "))
"""What the 16 bytes from the end of one value to the next, such as `"],[1700000000,"`, are replaced by."""


def column(keys: list[bytes], texts: Sequence[Text]) -> tuple[Values, Invalid]:
    """One number per key; ValueError where there is another count of them, or something else."""
    listed, invalid = _listed(b"[%b]" % b",".join(texts))
    if not len(listed) == len(texts) == len(keys):
        raise ValueError("not one number per row")
    return _floats(listed), invalid


def grid(blocks: Iterable[Rows], times: Times) -> tuple[list[bytes], Values, Invalid]:
    """Keys, and the samples of every row where their times belong, (S, T); ValueError for no samples."""
    keys, parts = list[bytes](), [np.empty((0, len(times)))]
    invalid = {"nan": 0, "inf": 0}
    for some, texts in blocks:
        if not texts:
            continue
        keys += some
        blanked = _blanked(texts, times)
        if blanked is not None:
            listed, bad = _listed(blanked)
            parts.append(_floats(listed).reshape(len(texts), len(times)))
        else:
            listed, bad = _listed(b"[%b]" % b",".join(texts).translate(None, b'"[]'))
            parts.append(_placed(_floats(listed).reshape(-1, 2), texts, times))
        invalid = {reason: count + bad[reason] for reason, count in invalid.items()}
    return keys, np.concatenate(parts), invalid


def _blanked(texts: Sequence[Text], times: Times) -> bytearray | None:
    """`texts` as a JSON list of their values alone; None where a row has not a sample at every time.

    Times rise from sample to sample, so the first and the last of each row, and their number, tell.
    """
    first, last = b'%d,"' % times[0], b'%d,"' % times[-1]
    if not len(first) == len(last) == 12:
        return None
    text = bytearray(b"],[").join([b'"', *texts])
    starts = (np.frombuffer(text, np.uint8) == ord("[")).nonzero()[0]
    rows = np.cumsum([3, *(len(it) + 3 for it in texts[:-1])])
    if len(starts) != len(texts) * len(times) or not np.array_equal(starts[:: len(times)], rows):
        return None
    ends = starts[len(times) - 1 :: len(times)].tolist()
    if not all(text.startswith(first, row + 1) for row in rows.tolist()):
        return None
    if not all(text.startswith(last, end + 1) for end in ends):
        return None
    words = np.ndarray((len(text) - 7,), "<u8", text, strides=(1,))
    starts -= 3
    words[starts] = _BETWEEN
    starts += 8
    words[starts] = _BLANK
    text[0], text[-1] = ord("["), ord("]")
    return text


def _placed(samples: Values, texts: Sequence[Text], times: Times) -> Values:
    """The `samples` of `texts`, (time, value) pairs row after row, at their times: one row for each text."""
    out = np.full((len(texts), len(times)), np.nan)
    step = times[1] - times[0] if len(times) > 1 else 1
    exact = (samples[:, 0] - times[0]) / step
    columns = exact.astype(np.intp)
    if np.any(columns != exact) or columns.min() < 0 or columns.max() >= len(times):
        raise Permanent("malformed", "the answer holds times that were not asked for")
    out[np.repeat(np.arange(len(texts)), [bytes(it).count(b"[") + 1 for it in texts]), columns] = samples[
        :, 1
    ]
    return out


def _listed(text: bytes | bytearray) -> tuple[list[Any], Invalid]:
    """What the JSON list `text` holds, None for what is not finite, and how many those are."""
    nan = inf = 0
    if b"N" in text or b"I" in text:
        nan, inf = text.count(b"NaN"), text.count(b"Inf")
        for word in (b"NaN", b"+Inf", b"-Inf"):
            text = text.replace(word, b"null")
    return orjson.loads(text), {"nan": nan, "inf": inf}


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
