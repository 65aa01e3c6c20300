"""Arrays with a column for each series, the last axis: made, rearranged, cut, and carried through time."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from exporter.frame import Floats, Mask, Rows

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


def held(start: Floats, values: Floats, taken: Mask) -> Floats:
    """What a memory of one value holds before each of T points, (T, S); of one point, a view of `start`.

    It begins with `start` (S,), and each of `values` (T, S) that is `taken` replaces what it holds.
    """
    if len(values) == 1:
        return start[None]
    out = np.concatenate((start[None], values[:-1]), dtype=start.dtype)
    if not taken[:-1].all():
        for point, mask in enumerate(taken[:-1]):
            np.copyto(out[point + 1], out[point], where=~mask)
    return out


def hold(memory: Floats, before: Floats, values: Floats, taken: Mask) -> None:
    """Bring a memory past the T points of `held`, which gave `before`, in place."""
    if len(values) > 1:
        memory[...] = before[-1]
    np.copyto(memory, values[-1], where=taken[-1])


def running(combined: np.ufunc, start: Floats, parts: Floats) -> Floats:
    """`start` (...) and, after each of `parts` (T, ...), all so far `combined`: (T + 1, ...).

    Without parts it is a view of `start`. NumPy's own `accumulate` goes through the first axis number by
    number, which takes twenty times as long.
    """
    if not len(parts):
        return start[None]
    out = np.empty((len(parts) + 1, *start.shape), start.dtype)
    out[0] = start
    for number, part in enumerate(parts):
        combined(out[number], part, out=out[number + 1])
    return out


def add_up(total: Floats, parts: Floats) -> None:
    """Add `parts` (T, ...) to `total` (...), one after the other, in place; `parts` is used up."""
    if len(parts) == 1:
        total += parts[0]
        return
    parts[0] += total
    np.add.reduce(parts, axis=0, out=total)
