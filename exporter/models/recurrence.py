"""What recurs every day is no news: a memory of score peaks by local time of day."""

from __future__ import annotations

import numpy as np

from exporter.frame import Floats, Mask, Rows
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
    "habit_slot": (0, np.int32, -1),
    "habit_peaks": (3, np.float32, 0.0),
}
"""`habit`: peak of the score around each half hour on each of the last DAYS days, in hundredths;
`habit_peaks`: the peaks of the newest half hour (number `habit_slot`) and of the two before it."""


def expected_excess(state: State, slot: int) -> Floats:
    """How much score the last days lead one to expect around half hour `slot`, shape (S,).

    It counts only what came back on each of the last DAYS days, and only beyond FREE.
    """
    at = (slot % SLOTS) * DAYS
    least = np.minimum.reduce(state["habit"][at : at + DAYS])
    excess: Floats = least * np.float32(1 / _UNIT)
    excess -= FREE
    return np.maximum(excess, 0, out=excess)


def learn(state: State, score: Floats) -> None:
    """Keep the peak of `score` (S,), formed before habits are taken off; 0 where nothing may be learnt."""
    peak = state["habit_peaks"][0]
    np.maximum(peak, score, out=peak)


def turned(state: State, slot: int, learnt: Mask) -> Rows | slice | None:
    """Which of the series in `learnt` have come to another half hour than that of their last point."""
    rows: Rows = (learnt & (state["habit_slot"] != slot)).nonzero()[0]
    if not len(rows):
        return None
    return slice(None) if len(rows) == len(learnt) else rows


def turn(state: State, slot: int, rows: Rows | slice) -> None:
    """File, for `rows`, the peak around the last half hour but one; start half hour `slot`."""
    peaks, last = state["habit_peaks"], state["habit_slot"][rows]
    around = (np.maximum.reduce(peaks[:, rows]).clip(0, _LARGEST) * _UNIT).astype(np.uint8)
    if last.min() == last.max():
        _file(state["habit"], int(last[0]), rows, around)
    else:
        each = np.arange(len(state["habit_slot"]))[rows]
        for one in set(last.tolist()):
            _file(state["habit"], one, each[last == one], around[last == one])
    peaks[1:, rows] = peaks[:-1, rows]
    peaks[0, rows] = 0
    state["habit_slot"][rows] = slot


def _file(habit: np.ndarray, slot: int, rows: Rows | slice, around: np.ndarray) -> None:
    newest = (slot - 1) % SLOTS * DAYS
    habit[newest + 1 : newest + DAYS, rows] = habit[newest : newest + DAYS - 1, rows]
    habit[newest, rows] = around
