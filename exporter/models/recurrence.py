"""What recurs every day is no news: a memory of score peaks by local time of day."""

from __future__ import annotations

import numpy as np

from exporter.frame import Floats, Mask
from exporter.models.contract import State

SLOT = 1_800
SLOTS = 48
DAYS = 3
FREE = np.float32(0.5)
"""A remembered peak below this takes nothing off: an ordinary day's highest scores lie there."""

_UNIT = np.float32(100)
_LARGEST = np.float32(2.5)

FIELDS = {
    "habit": (SLOTS * DAYS, np.uint8, 0),
    "habit_slot": (0, np.int64, -1),
    "habit_peaks": (3, np.float32, 0.0),
}
"""`habit`: peak of the score around each half hour on each of the last DAYS days, in hundredths;
`habit_peaks`: the peaks of the newest half hour (number `habit_slot`) and of the two before it."""


def expected_excess(state: State, slot: int) -> Floats:
    """How much score the last days lead one to expect around half hour `slot`, shape (S,).

    It counts only what came back on each of the last DAYS days, and only beyond FREE.
    """
    at = (slot % SLOTS) * DAYS
    least = state["habit"][at : at + DAYS].min(axis=0)
    excess: Floats = least * np.float32(1 / _UNIT)
    excess -= FREE
    return np.maximum(excess, 0, out=excess)


def learn(state: State, slot: int, score: Floats, learnt: Mask) -> None:
    """Keep the peak of `score` (S,), formed before habits are taken off, and file it in time."""
    peaks = state["habit_peaks"]
    over = learnt & (state["habit_slot"] != slot)
    if over.any():
        _file(state, np.flatnonzero(over), slot)
    np.maximum(peaks[0], np.minimum(score, _LARGEST), out=peaks[0], where=learnt)


def _file(state: State, rows: np.ndarray, slot: int) -> None:
    """File, for `rows`, the peak around the last half hour but one; start half hour `slot`."""
    peaks = state["habit_peaks"]
    centre = (state["habit_slot"][rows] - 1) % SLOTS * DAYS
    around = peaks[:, rows].max(axis=0) * _UNIT
    for day in range(DAYS - 1, 0, -1):
        state["habit"][centre + day, rows] = state["habit"][centre + day - 1, rows]
    state["habit"][centre, rows] = around.astype(np.uint8)
    peaks[2, rows], peaks[1, rows], peaks[0, rows] = peaks[1, rows], peaks[0, rows], 0
    state["habit_slot"][rows] = slot
