"""The memory of drift: a ring of the last 30 days, for each hour its mean and how much the value moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from exporter import columns
from exporter.frame import Floats, Mask, Rows

HOUR = 3600
PART = 600
"""Movement is the mean change between successive parts of an hour, so that it hardly depends on the step."""

DAYS = 30
HOURS = DAYS * 24
SAMPLED = 11
"""Every eleventh hour of the ring shows where its values lie: 66 of them, at all times of day."""

_LARGEST = 6e4
_LEAST = 1e-6

FIELDS: columns.Fields = {
    "mean": (HOURS, np.float16, np.nan),
    "movement": (HOURS, np.float16, np.nan),
    "anchor": (0, np.float64, np.nan),
    "unit": (0, np.float64, 1.0),
    "sum": (0, np.float64, 0.0),
    "seen": (0, np.uint16, 0),
    "part_sum": (0, np.float64, 0.0),
    "part_seen": (0, np.uint16, 0),
    "previous": (0, np.float64, np.nan),
    "moved": (0, np.float64, 0.0),
    "moves": (0, np.uint8, 0),
}
"""State by name: rows per series (0: a plain vector), type, value of a fresh series; about 2.9 KB per series.

`mean`: hourly means as (value - `anchor`) / `unit`. `movement`: log of the mean absolute change between
parts, in `unit`. Both at row (hour since 1970) % HOURS, NaN where nothing was seen.
"""


@dataclass(frozen=True, slots=True)
class Past:
    """The `span` hours before Unix hour `end`, copied, so that it may be read while the ring goes on.

    `mean`, `movement` (span, S): as in the ring, oldest first, NaN where the ring knows nothing.
    `anchor`, `unit` (S,): what they are relative to.
    """

    end: int
    mean: Floats
    movement: Floats
    anchor: Floats
    unit: Floats

    @property
    def span(self) -> int:
        return len(self.mean)

    def take(self, rows: Rows) -> Past:
        """Only the series `rows`, in that order."""
        return Past(self.end, self.mean[:, rows], self.movement[:, rows], self.anchor[rows], self.unit[rows])

    def until(self, end: int) -> Past:
        """The same start, but ending at Unix hour `end`."""
        kept = self.span - (self.end - end)
        return Past(end, self.mean[:kept], self.movement[:kept], self.anchor, self.unit)

    def last(self, span: int) -> Past:
        """Its last `span` hours."""
        return Past(self.end, self.mean[-span:], self.movement[-span:], self.anchor, self.unit)


class Hours:
    """The ring of S series; `hour` is the one that is being filled, None before the first point."""

    def __init__(self, step: float, rows: int = 0) -> None:
        """The hours of `rows` series without a past, whose points are `step` seconds apart."""
        self._length = max(PART, int(step))
        self.state = columns.fresh(FIELDS, rows)
        self.hour: int | None = None
        self._part = -1

    def __len__(self) -> int:
        return len(self.state["unit"])

    def add(self, times: Sequence[int], values: Floats, allowed: Mask) -> None:
        """Take in `values` (T, S) of Unix seconds `times`, but NaN and what is not `allowed` (S,)."""
        state = self.state
        counted = (values == values) & allowed
        usable = values if counted.all() else np.where(counted, values, 0.0)
        for time, value, one in zip(times, usable, counted, strict=True):
            if time // self._length != self._part:
                self._turn(time)
            state["part_sum"] += value
            state["part_seen"] += one

    def resume(self, time: int) -> None:
        """Go on after `time`, the newest point that a restored state has seen."""
        self._part, self.hour = time // self._length, time // HOUR

    def select(self, rows: Rows) -> None:
        """Rearrange the state so that new row i is old row `rows[i]`, or a fresh series where that is -1."""
        columns.select(self.state, FIELDS, rows)

    def put(self, rows: Rows, other: Hours) -> None:
        """Overwrite `rows` with the series of `other`, which stands at the same time."""
        columns.put(self.state, rows, other.state)
        if self.hour is None:
            self.hour, self._part = other.hour, other._part

    def past(self, span: int = HOURS - 1) -> Past:
        """The `span` hours before the one that is being filled."""
        assert self.hour is not None
        rows = np.arange(self.hour - span, self.hour) % HOURS
        state = self.state
        return Past(
            self.hour,
            state["mean"][rows],
            state["movement"][rows],
            state["anchor"].copy(),
            state["unit"].copy(),
        )

    def rebase(self) -> None:
        """Put the anchor of each series amid its own values again, so that half floats resolve them."""
        state = self.state
        means = state["mean"][::SAMPLED].astype(np.float32)
        low, middle, high = (_quantile(means, share) for share in (0.1, 0.5, 0.9))
        unit = np.where(high > low, (high - low) / 4, 1.0)
        known = np.isfinite(middle) & ((np.abs(middle) > 8 * unit) | (unit > 4) | (unit < 1 / 4))
        if not known.any():
            return
        middle, unit = middle[known], unit[known]
        moved = (state["mean"][:, known].astype(np.float32) - middle) / unit
        state["mean"][:, known] = np.clip(moved, -_LARGEST, _LARGEST)
        state["movement"][:, known] -= np.log(unit).astype(np.float16)
        state["anchor"][known] += middle * state["unit"][known]
        state["unit"][known] *= unit

    def _turn(self, time: int) -> None:
        """A new part of an hour, and maybe a new hour."""
        gap = time // self._length != self._part + 1
        self._close_part()
        if gap:
            self.state["previous"][...] = np.nan
        if time // HOUR != self.hour:
            self._close_hour(time // HOUR)
        self._part = time // self._length

    def _close_part(self) -> None:
        state = self.state
        seen = state["part_seen"]
        mean = _mean(state["part_sum"], seen)
        change = np.abs(mean - state["previous"])
        known = change == change
        np.add(state["moved"], change, out=state["moved"], where=known)
        state["moves"] += known
        state["sum"] += state["part_sum"]
        state["seen"] += seen
        state["previous"][...] = mean
        state["part_sum"][...] = 0
        seen[...] = 0

    def _close_hour(self, hour: int) -> None:
        """File the hour that is over, and empty the rows of those in which nothing was read."""
        state = self.state
        if self.hour is not None:
            self._file(self.hour)
            for row in range(max(self.hour + 1, hour - HOURS + 1), hour + 1):
                state["mean"][row % HOURS] = state["movement"][row % HOURS] = np.nan
        for name in ("sum", "seen", "moved", "moves"):
            state[name][...] = 0
        self.hour = hour

    def _file(self, hour: int) -> None:
        state = self.state
        seen, moves = state["seen"], state["moves"]
        mean, moved = _mean(state["sum"], seen), _mean(state["moved"], moves)
        fresh = np.isnan(state["anchor"]) & (seen > 0)
        if fresh.any():
            state["anchor"][fresh] = mean[fresh]
            state["unit"][fresh] = np.fmax(np.fmax(moved, np.abs(mean) * 1e-3), 1e-30)[fresh]
        placed = np.clip((mean - state["anchor"]) / state["unit"], -_LARGEST, _LARGEST)
        state["mean"][hour % HOURS] = placed
        state["movement"][hour % HOURS] = np.log(np.clip(moved / state["unit"], _LEAST, _LARGEST))


def _mean(total: Floats, count: np.ndarray) -> Floats:
    """`total` / `count`, NaN where nothing was counted."""
    with np.errstate(invalid="ignore"):
        mean: Floats = total / count
    return mean


def _quantile(values: Floats, share: float) -> Floats:
    """The quantile over the first axis without NaN; NaN where there is nothing."""
    ordered = np.sort(values, axis=0)
    count = (ordered == ordered).sum(axis=0)
    at = np.maximum(count - 1, 0) * share
    picked: Floats = np.take_along_axis(ordered, np.rint(at).astype(np.intp)[None], axis=0)[0]
    return picked
