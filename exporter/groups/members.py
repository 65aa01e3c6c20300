"""From the series of single queries to the vectors of services."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from exporter.frame import Floats, Rows

Key: TypeAlias = tuple[str, ...]
"""A service: the values of the labels that the group is made by."""


@dataclass(frozen=True, slots=True)
class Membership:
    """Which of a query's series belong to which service.

    `rows`: the series that carry all labels, service by service; `starts`: where in `rows` each of `keys`
    begins.
    """

    keys: tuple[Key, ...]
    rows: Rows
    starts: Rows

    @classmethod
    def of(cls, series: Sequence[Mapping[str, str]], by: Sequence[str]) -> Membership:
        """The services of `series` under the labels `by`; a series that lacks one belongs to none."""
        rows: dict[Key, list[int]] = {}
        for row, labels in enumerate(series):
            key = tuple(labels.get(name, "") for name in by)
            if all(key):
                rows.setdefault(key, []).append(row)
        counts = [len(found) for found in rows.values()]
        starts = np.cumsum([0, *counts[:-1]], dtype=np.intp)[: len(counts)]
        flat = [row for found in rows.values() for row in found]
        return cls(tuple(rows), np.array(flat, np.intp), starts)

    def strangest(self, values: Floats) -> Floats:
        """Of `values` (..., series) the farthest from 0 per service, (..., K); NaN where there is none."""
        taken = values[..., self.rows]
        if not len(self.keys):
            return taken
        highest = np.fmax.reduceat(taken, self.starts, axis=-1)
        lowest = np.fmin.reduceat(taken, self.starts, axis=-1)
        farthest: Floats = np.where(highest >= -lowest, highest, lowest)
        return farthest


@dataclass(frozen=True, slots=True)
class Table:
    """Values (..., K, P) of P queries, for the K services that any of them knows."""

    keys: tuple[Key, ...]
    values: Floats


def tabulate(parts: Sequence[tuple[Membership, Floats] | None]) -> Table:
    """Put the values (..., series) of each query side by side; a query that is None has no values at all."""
    there = [part for part in parts if part]
    keys = tuple(dict.fromkeys(key for members, _ in there for key in members.keys))
    places = {key: place for place, key in enumerate(keys)}
    leading = there[0][1].shape[:-1] if there else ()
    values = np.full((*leading, len(keys), len(parts)), np.nan, np.float32)
    for column, part in enumerate(parts):
        if part:
            members, found = part
            values[..., [places[key] for key in members.keys], column] = members.strangest(found)
    return Table(keys, values)
