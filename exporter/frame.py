"""A frame: one query's result as S label sets x T regular times x a float matrix with NaN for gaps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import orjson
from numpy.typing import NDArray

Labels: TypeAlias = tuple[tuple[str, str], ...]
"""One label set: (name, value) pairs sorted by name. Hashable, so it is the identity of a series."""

Floats: TypeAlias = NDArray[np.floating]
Rows: TypeAlias = NDArray[np.intp]
Mask: TypeAlias = NDArray[np.bool_]


class DuplicateSeries(ValueError):
    """Two series of one result carry the same label set."""


def labels_of(key: bytes) -> Labels:
    """The label set that a server wrote as the JSON object `key`."""
    return tuple(sorted(orjson.loads(key).items()))


@dataclass(frozen=True, slots=True)
class Frame:
    """What one query returned over regular times.

    `keys[i]` is the label object of row i exactly as the server wrote it (JSON bytes), which is what makes
    recognising a known series cheap; `times` are Unix seconds, shape (T,), `step` apart;
    `values` has shape (S, T), float64, NaN where the series has no sample.
    """

    keys: list[bytes]
    times: NDArray[np.int64]
    values: Floats
