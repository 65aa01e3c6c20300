"""A series that often nearly alarms has a higher edge, and so, for a day, has one that has just alarmed.

Score peaks between LOW and HIGH, which never reach the edge, are counted per happening. Their rate and how
fast it falls tell where the peaks of a healthy series end. Alarms themselves are left out, so that real
incidents, however many, do not raise the edge.
"""

from __future__ import annotations

import math

import numpy as np

from exporter.columns import add_up
from exporter.frame import Floats, Mask, Rows
from exporter.models.contract import State
from exporter.models.recurrence import SLOT

LOW, MIDDLE, HIGH = np.float32(0.5), np.float32(0.75), np.float32(1.0)
APART = 1_800.0
WEEK = 7 * 86_400.0
HALF_LIFE = 12 * WEEK
PRIOR_WEEKS = np.float32(4.0)
PRIOR_LOWER = np.float32(32.0)
PRIOR_UPPER = np.float32(4.8)
"""What is believed of a series before it is known: over PRIOR_WEEKS weeks, this many peaks in either half."""

WANTED = 0.25
LARGEST = np.float32(1.8)
FATIGUE = np.float32(0.05)
"""By how much an alarm raises the edge for the next one, until it fades in about a day."""

ALARM_MEMORY = 86_400.0
MOST_ALARMS = np.float32(2)

FIELDS = {
    "near": (2, np.float32, 0.0),
    "watched": (0, np.float32, 0.0),
    "peak": (0, np.float32, 0.0),
    "quiet": (0, np.float32, 0.0),
    "alarms": (0, np.float32, 0.0),
    "factor": (0, np.float32, 1.0),
}
"""`near`: happenings that peaked in the lower and upper half; `watched`: weeks counted; `peak` and `quiet`:
the highest score of the newest happening, 0 once it is counted, and seconds since the score was last above
LOW; `alarms`: alarms that ended lately; `factor`: by what to multiply the edge.

A happening that is over is counted when the next one begins or the half hour ends: none looks at it sooner.
"""


def _factor(near: Floats, watched: Floats) -> Floats:
    """By what to multiply the edge, (S,), from 1 to LARGEST.

    Peaks beyond it would come WANTED times a week if they went on falling off as the near misses do.
    """
    lower, upper = near[0] + PRIOR_LOWER, near[1] + PRIOR_UPPER
    rate = (lower + upper) / (watched + PRIOR_WEEKS)
    fall = (MIDDLE - LOW) / np.log(np.maximum(lower / upper, np.float32(1.3)))
    edge: Floats = LOW + fall * np.log(np.maximum(rate, np.float32(WANTED)) * np.float32(1 / WANTED))
    np.maximum(edge, 1, out=edge)
    return np.minimum(edge, LARGEST, out=edge)


def learn(state: State, score: Floats, step: float, learnt: Floats) -> None:
    """Count T more points, of half an hour at most, in place.

    `score` (T, S): the scores before this correction; `learnt`: 0 or 1. The points of one series lie so near
    to each other that only at the first strange one a happening before it can be over.
    """
    seconds = learnt * np.float32(step)
    passed = np.add.reduce(seconds)
    add_up(state["watched"], learnt * np.float32(step / WEEK))
    quiet, high = state["quiet"], score * learnt
    high *= high > LOW
    peaks = np.maximum.reduce(high)
    strange = peaks.nonzero()[0]
    if len(strange):
        before, after = _around(high[:, strange] > 0, seconds[:, strange])
        quiet[strange] += before
        _count(state, _over(state, step, strange))
        state["peak"][strange] = np.maximum(state["peak"][strange], peaks[strange])
        quiet[strange] = after - passed[strange]
    quiet += passed


def _around(there: Mask, seconds: Floats) -> tuple[Floats | int, Floats | int]:
    """How much of `seconds` (T, R) lies before the first point that is `there`, and after the last."""
    if len(there) == 1:
        return 0, 0
    since = np.logical_or.accumulate(there)
    until = np.logical_or.accumulate(there[::-1])[::-1]
    return np.add.reduce(seconds * ~since), np.add.reduce(seconds * ~until)


def turn(state: State, step: float, rows: Rows | slice) -> None:
    """After a half hour of points `step` seconds apart, forget a little; draw the edge of `rows` anew."""
    _count(state, _over(state, step, rows))
    seconds = max(step, SLOT)
    kept = np.float32(math.exp2(-seconds / HALF_LIFE))
    state["near"][:, rows] *= kept
    state["watched"][rows] *= kept
    state["alarms"][rows] *= np.float32(math.exp(-seconds / ALARM_MEMORY))
    factor = _factor(state["near"][:, rows], state["watched"][rows])
    state["factor"][rows] = factor * (1 + FATIGUE * state["alarms"][rows])


def _over(state: State, step: float, rows: Rows | slice) -> Rows:
    """Those of `rows` whose happening is over, and was not counted yet."""
    over = (state["quiet"][rows] > max(APART, 3 * step)) & (state["peak"][rows] > 0)
    return over.nonzero()[0] if isinstance(rows, slice) else rows[over]


def _count(state: State, rows: Rows) -> None:
    """Count the happenings of the series `rows`, and forget them."""
    if not len(rows):
        return
    peak = state["peak"][rows]
    state["near"][0, rows] += peak < MIDDLE
    state["near"][1, rows] += (peak >= MIDDLE) & (peak < HIGH)
    ended = state["alarms"][rows] + (peak >= state["factor"][rows])
    state["alarms"][rows] = np.minimum(ended, MOST_ALARMS)
    state["peak"][rows] = 0
