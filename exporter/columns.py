"""Arrays with a column for each series, the last axis: made, rearranged, taken over and cut in parts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from exporter.frame import Rows

State = dict[str, np.ndarray]
Fields = Mapping[str, tuple[int, type, float]]
"""State by name: rows per series (0: a plain vector), type, value of a fresh series."""


def fresh(fields: Fields, size: int) -> State:
    """The state of `size` fresh series."""
    return {
        name: np.full((rows, size) if rows else size, value, kind)
        for name, (rows, kind, value) in fields.items()
    }


def select(state: State, fields: Fields, rows: Rows) -> None:
    """Rearrange `state` so that new row i is old row `rows[i]`, or a fresh series where that is -1."""
    known = rows >= 0
    for name, taken in fresh(fields, len(rows)).items():
        taken[..., known] = state[name][..., rows[known]]
        state[name] = taken


def put(state: State, rows: Rows, other: State) -> None:
    """Overwrite `rows` of `state` with the series of `other`."""
    for name, array in state.items():
        array[..., rows] = other[name]


def part(state: State, of: slice) -> State:
    """Views of the series in `of`: what is changed in place there changes in `state`."""
    return {name: array[..., of] for name, array in state.items()}
