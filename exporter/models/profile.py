"""The seasonal profile: value by local time of day, corrected by hour of week once that is known."""

from __future__ import annotations

import numpy as np

from exporter.frame import Floats
from exporter.models.contract import State
from exporter.seasons import HOURS, SLOT, SLOTS, Season

DAY_GAIN = 0.25
"""How much of a day's deviation the profile takes over once it has settled."""

WEEK_PRIOR = 3.0
"""After how many weeks the hour of week counts half."""

FIELDS = {
    "day": (SLOTS, np.float32, 0.0),
    "day_seen": (SLOTS, np.float16, 0.0),
    "week": (HOURS, np.float32, 0.0),
    "week_seen": (HOURS, np.float16, 0.0),
}


def value(state: State, at: Season) -> Floats:
    """The season's part of the value now, shape (S,), in the unit of the query."""
    season: Floats = state["day"][at.slot] * np.float32(1 - at.weight)
    season += state["day"][at.next_slot] * np.float32(at.weight)
    seen = state["week_seen"][at.hour].astype(np.float32)
    seen /= seen + np.float32(WEEK_PRIOR)
    seen *= state["week"][at.hour]
    season += seen
    return season


def learn(state: State, at: Season, residual: Floats, step: float, weight: Floats) -> None:
    """Take over part of `residual` (S,), in place; `weight` is 0 where nothing may be learnt."""
    settled = np.float32(1 - (1 - DAY_GAIN) ** min(step / SLOT, 1))
    residual = residual * weight
    _learn_slot(state, at.slot, np.float32(1 - at.weight), residual, settled, weight)
    _learn_slot(state, at.next_slot, np.float32(at.weight), residual, settled, weight)
    _learn_hour(state, at.hour, residual, min(step / 3600, 1.0), weight)


def _learn_hour(state: State, hour: int, residual: Floats, hours: float, weight: Floats) -> None:
    seen = state["week_seen"][hour]
    seen += np.float16(hours) * weight
    gain = np.float32(hours) / (1 + seen.astype(np.float32))
    np.maximum(gain, np.float32(DAY_GAIN * hours), out=gain)
    gain *= residual
    state["week"][hour] += gain


def _learn_slot(
    state: State, slot: int, share: np.float32, residual: Floats, settled: np.float32, weight: Floats
) -> None:
    seen = state["day_seen"][slot]
    gain = np.maximum(1 / (1 + seen.astype(np.float32)), settled)
    gain *= share
    gain *= residual
    state["day"][slot] += gain
    seen += share * weight
