"""The step from the last value to this one, less the season's own step."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from exporter.columns import Fields
from exporter.frame import Floats, Mask
from exporter.models import daily
from exporter.models.idea import Lesson, Now, gain
from exporter.models.residual import Residual
from exporter.seasons import SLOTS

BASE_MEMORY = 7 * 86_400.0
DAY_GAIN = 0.25
"""How much of a day's deviation the season takes over once it has settled."""


class RateOfChange(Residual):
    """What was left of the last value beside the season is expected again."""

    own: ClassVar[Fields] = {
        "base": (0, np.float64, 0),
        "rest": (0, np.float64, 0),
        "day": (SLOTS, np.float32, 0),
        "day_seen": (SLOTS, np.float16, 0),
    }
    edge = 8.5

    def expect(self, now: Now) -> Floats:
        """The last value, and the season's step since then."""
        centre: Floats = now.state["rest"] + daily.value(now.state["day"], now.at)
        return centre

    def start(self, now: Now, x: Floats, first: Mask) -> None:
        """The first point is the level."""
        now.state["base"][first] = now.state["rest"][first] = x[first]

    def learn(self, now: Now, lesson: Lesson) -> None:
        """The season learns from the distance to a slow level, the last value is kept as it is."""
        state, weight = now.state, lesson.weight
        season = daily.value(state["day"], now.at)
        rest = (state["rest"] + lesson.error - state["base"]).astype(np.float32)
        state["base"] += gain(weight, lesson.young, now.step, BASE_MEMORY) * rest
        daily.learn(state["day"], state["day_seen"], now.at, rest, daily.settled(DAY_GAIN, now.step), weight)
        np.copyto(state["rest"], lesson.x - season, where=weight > 0)
