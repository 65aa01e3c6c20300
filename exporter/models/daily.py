"""A season by quarter hour of the local day, read between the quarters' centres."""

from __future__ import annotations

import numpy as np

from exporter.frame import Floats
from exporter.seasons import SLOT, Season


def value(slots: Floats, at: Season) -> Floats:
    """The season now, (S,), from `slots` (SLOTS, S)."""
    season: Floats = slots[at.slot] * np.float32(1 - at.weight)
    season += slots[at.next_slot] * np.float32(at.weight)
    return season


def shares(at: Season) -> tuple[tuple[int, np.float32], ...]:
    """The two slots between which the instant lies, and the share of each."""
    return (at.slot, np.float32(1 - at.weight)), (at.next_slot, np.float32(at.weight))


def settled(daily: float, step: float) -> np.float32:
    """The gain per point of a slot that takes over the share `daily` of what it is told in one pass."""
    return np.float32(1 - (1 - daily) ** min(step / SLOT, 1))


def learn(slots: Floats, seen: Floats, at: Season, error: Floats, daily: np.float32, weight: Floats) -> None:
    """Move the two slots by their shares of `error` (S,), in place: plain means at first, then gain `daily`.

    `seen` (SLOTS, S) counts points.
    """
    error = error * weight
    for slot, share in shares(at):
        step = np.maximum(1 / (1 + seen[slot].astype(np.float32)), daily)
        step *= share
        step *= error
        slots[slot] += step
        seen[slot] += share * weight
