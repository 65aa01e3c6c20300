"""Additive Holt-Winters, online: a level that follows the series, and a season of the local day."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from exporter.columns import Fields
from exporter.frame import Floats, Mask
from exporter.models import daily
from exporter.models.idea import Lesson, Now, faded, gain
from exporter.models.residual import Residual
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
        centre: Floats = now.state["base"] + (daily.value(now.state["day"], now.at) + self._offset(now))
        return centre

    def season(self, time: float) -> Floats:
        """What the season adds to the level at Unix second `time`, (S,)."""
        return daily.value(self.state["day"], self._clock.at(int(time)))

    def start(self, now: Now, x: Floats, first: Mask) -> None:
        """The first point is the level."""
        now.state["base"][first] = x[first]

    def learn(self, now: Now, lesson: Lesson) -> None:
        """The offset follows the error, base and season what is left beside them."""
        state, error, weight = now.state, lesson.error, lesson.weight
        offset = self._offset(now)
        rest = error + offset
        offset = offset + gain(weight, lesson.young, now.step, OFFSET_MEMORY) * error
        share = gain(weight, lesson.young, now.step, BASE_MEMORY)
        state["base"] += share * rest
        np.copyto(state["offset"], offset - share * rest, where=weight > 0)
        daily.learn(state["day"], state["day_seen"], now.at, rest, daily.settled(DAY_GAIN, now.step), weight)

    @staticmethod
    def _offset(now: Now) -> Floats:
        """The offset as it is now: it is forgotten in a gap."""
        return faded(now, now.state["offset"], OFFSET_MEMORY)
