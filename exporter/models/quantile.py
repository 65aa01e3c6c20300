"""Seasonal quantiles by stochastic approximation: a median, and reaches of their own above and below it."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

from exporter.columns import Fields
from exporter.frame import Floats, Mask
from exporter.models import daily
from exporter.models.idea import Lesson, Now
from exporter.models.residual import Residual
from exporter.seasons import SLOTS

BEYOND_TYPICAL = 0.35
"""The share of the points of either side that lie beyond the typical deviation of their time of day."""

LEVEL_MEMORY = 86_400.0
DAY_GAIN = 0.25
"""How much of what a day's points ask for a slot takes over once it has settled."""

PULL = np.float32(0.02)
NARROWEST, WIDEST = np.float32(-1.5), np.float32(3)
_YOUNGEST = np.float32(0.5)
BELOW, ABOVE = 0, 1


class Quantile(Residual):
    """Where half of the values of this quarter hour lie, and how far the upper and lower half reach."""

    own: ClassVar[Fields] = {
        "level": (0, np.float64, 0),
        "day": (SLOTS, np.float32, 0),
        "day_below": (SLOTS, np.float32, 0),
        "day_above": (SLOTS, np.float32, 0),
        "day_seen": (SLOTS, np.float16, 0),
    }
    edge = 8.8
    tails = 2

    def expect(self, now: Now) -> Floats:
        """The median of this time of day, and how much wider than usual values scatter around it."""
        state = now.state
        now.spans = np.exp(
            np.stack([daily.value(state[name], now.at) for name in ("day_below", "day_above")])
        )
        centre: Floats = state["level"] + daily.value(state["day"], now.at)
        return centre

    def start(self, now: Now, x: Floats, first: Mask) -> None:
        """The first point is the median."""
        now.state["level"][first] = x[first]

    def learn(self, now: Now, lesson: Lesson) -> None:
        """Each quantile goes a little way towards the side on which the point lies."""
        state, error = now.state, lesson.error
        side = np.stack((error < 0, error > 0)).astype(np.float32) * lesson.weight
        size = np.abs(error)
        towards = (side[ABOVE] - side[BELOW]) * np.minimum(state["scale"].mean(axis=0), size)
        share = np.maximum(lesson.young, np.float32(-math.expm1(-now.step / LEVEL_MEMORY)))
        state["level"] += 2 * share * towards
        wider = side * ((size > state["scale"] * now.spans) - np.float32(BEYOND_TYPICAL))
        self._learn_day(now, towards, wider, side, lesson.weight)

    @staticmethod
    def _learn_day(now: Now, towards: Floats, wider: Floats, side: Floats, weight: Floats) -> None:
        state, settled = now.state, daily.settled(DAY_GAIN, now.step)
        for slot, share in daily.shares(now.at):
            seen = state["day_seen"][slot]
            rate = np.maximum(_YOUNGEST / (1 + seen.astype(np.float32) / 8), settled) * share
            state["day"][slot] += rate * towards
            for name, row in (("day_below", BELOW), ("day_above", ABOVE)):
                reach = state[name][slot]
                reach += rate * (wider[row] - PULL * side[row] * reach)
                np.clip(reach, NARROWEST, WIDEST, out=reach)
            seen += share * weight
