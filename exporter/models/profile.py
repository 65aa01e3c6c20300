"""The seasonal profile: value by local time of day, corrected by hour of week once that is known."""

from __future__ import annotations

import functools

import numpy as np

from exporter.frame import Floats, Mask, Rows
from exporter.models.contract import State
from exporter.seasons import HOURS, SLOT, SLOTS, Season

DAY_GAIN, WEEK_GAIN = 0.12, 0.25
"""How much of a deviation the time of day and the hour of week take over once they have settled."""

WEEK_PRIOR = 2.0
"""After how many weeks the hour of week counts half."""

VISIT = 16
"""What a point at the very centre of its slot adds to `day_seen`; less, the farther it lies from there."""

_MOST = np.uint16(60_000)
_MOST_VISITS = np.uint8(255)

FIELDS = {
    "day": (SLOTS, np.float32, 0.0),
    "day_seen": (SLOTS, np.uint16, 0),
    "week": (HOURS, np.float32, 0.0),
    "week_seen": (HOURS, np.uint8, 0),
}
"""`day_seen`: points learnt in each slot, in VISITs; `week_seen`: visits to each hour of the week."""


def value(state: State, at: Season) -> Floats:
    """The season's part of the value now, shape (S,), in the unit of the query."""
    between = state["day"][_slots(at)] * _shares(at)
    season: Floats = between[0]
    season += between[1]
    cells = at.cells(len(season))
    seen = state["week_seen"][cells].astype(np.float32)
    seen /= seen + np.float32(WEEK_PRIOR)
    seen *= state["week"][cells]
    season += seen
    return season


def acquainted(state: State, step: float) -> dict[str, Floats]:
    """The share of each season that is known, (S,): hours of the day seen, hours of the week that count half.

    Points `step` seconds apart cannot see more hours than there are points.
    """
    hours = max(step, 3600) / 3600
    day = (state["day_seen"] > 0).reshape(24, SLOTS // 24, -1).any(axis=1)
    known = {"day": day, "week": state["week_seen"] >= WEEK_PRIOR}
    return {name: np.minimum(seen.mean(axis=0) * hours, 1) for name, seen in known.items()}


def learn(state: State, at: Season, residual: Floats, step: float, weight: Floats) -> None:
    """Take over part of `residual` (S,), in place; `weight` is 0 where nothing may be learnt, else 1."""
    residual = residual * weight
    _learn_slots(state, at, residual, step, weight)
    _learn_hour(state, at, residual, min(step / 3600, 1.0))


def visit(state: State, at: Season, new: Mask, rows: Rows | slice) -> None:
    """Count another visit to this hour of the week for those of `rows` to whom it is `new`, (R,)."""
    cells = at.cells(state["week_seen"].shape[1], rows)
    seen = state["week_seen"][cells]
    state["week_seen"][cells] = seen + (new & (seen < _MOST_VISITS))


def unlearn(state: State, rows: Rows, slot: int, hour: int | Rows, residual: Floats, step: float) -> None:
    """Give back what a quarter hour of a constant `residual` (R,) taught `rows` about `slot` and `hour`."""
    # Points that are far apart lie between two slots and teach each of them half
    state["day"][slot, rows] -= np.float32(DAY_GAIN * (1.0 if step <= SLOT else 0.5)) * residual
    gain = np.maximum(1 / (1 + state["week_seen"][hour, rows].astype(np.float32)), np.float32(WEEK_GAIN))
    state["week"][hour, rows] -= np.float32(SLOT / 3600) * gain * residual


def _learn_hour(state: State, at: Season, residual: Floats, hours: float) -> None:
    cells = at.cells(len(residual))
    gain = state["week_seen"][cells].astype(np.float32)
    gain += 1
    np.reciprocal(gain, out=gain)
    np.maximum(gain, np.float32(WEEK_GAIN), out=gain)
    gain *= np.float32(hours)
    gain *= residual
    state["week"][cells] += gain


def _learn_slots(state: State, at: Season, residual: Floats, step: float, weight: Floats) -> None:
    slots, shares = _slots(at), _shares(at)
    seen = state["day_seen"][slots]
    gain = seen.astype(np.float32)
    gain += VISIT
    np.divide(VISIT * shares, gain, out=gain)
    np.maximum(gain, _settled(step) * shares, out=gain)
    gain *= residual
    state["day"][slots] += gain
    seen = seen + np.rint(VISIT * shares).astype(np.uint16) * weight.astype(np.uint16)
    state["day_seen"][slots] = np.minimum(seen, _MOST, out=seen)


def _slots(at: Season) -> slice | list[int]:
    """The two slots between whose centres `at` lies: neighbours, but around midnight."""
    if at.next_slot == at.slot + 1:
        return slice(at.slot, at.slot + 2)
    return [at.slot, at.next_slot]


def _shares(at: Season) -> Floats:
    """How much either slot counts, (2, 1)."""
    return np.array([[1 - at.weight], [at.weight]], np.float32)


@functools.cache
def _settled(step: float) -> np.float32:
    """How much of a point the slots take over once they have settled."""
    return np.float32(1 - (1 - DAY_GAIN) ** min(step / SLOT, 1))
