"""Additive Holt-Winters, online: a level that follows the series, and a season of the local day."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from exporter.frame import Floats, Mask
from exporter.models import daily
from exporter.models.residual import Lesson, Now, Residual, gain
from exporter.models.rows import Fields
from exporter.seasons import SLOTS

BASE_MEMORY = 7 * 86_400.0
OFFSET_MEMORY = 3_600.0
DAY_GAIN = 0.25
"""How much of a day's deviation the season takes over once it has settled."""


class HoltWinters(Residual):
    """A slow level, what this quarter hour of the local day adds to it, and what the last hour does."""

    own: ClassVar[Fields] = {
        "base": (0, np.float64, 0),
        "offset": (0, np.float32, 0),
        "day": (SLOTS, np.float32, 0),
        "day_seen": (SLOTS, np.float16, 0),
    }
    edge = 8.3

    def expect(self, now: Now) -> Floats:
        """Base, season and offset; the offset is forgotten in a gap."""
        state = now.state
        fade = np.where(now.recent, 1, np.exp((state["previous_time"] - now.time) / OFFSET_MEMORY))
        state["offset"] *= fade
        centre: Floats = state["base"] + (daily.value(state["day"], now.at) + state["offset"])
        return centre

    def start(self, now: Now, x: Floats, first: Mask) -> None:
        """The first point is the level."""
        now.state["base"][first] = x[first]

    def learn(self, now: Now, lesson: Lesson) -> None:
        """The offset follows the error, base and season what is left beside them."""
        state, error, weight = now.state, lesson.error, lesson.weight
        rest = error + state["offset"]
        state["offset"] += gain(weight, lesson.young, now.step, OFFSET_MEMORY) * error
        share = gain(weight, lesson.young, now.step, BASE_MEMORY)
        state["base"] += share * rest
        state["offset"] -= share * rest
        daily.learn(state["day"], state["day_seen"], now.at, rest, daily.settled(DAY_GAIN, now.step), weight)
