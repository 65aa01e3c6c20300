"""What is remembered of each series beside its model: its age, and how often it was beyond the edge."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from exporter import columns
from exporter.calendars.windows import REASONS, Reason
from exporter.frame import Floats, Mask, Rows

DAY = 86_400.0
HALF_LIFE = 28 * DAY
"""Alarms count half after so long."""

APART = 1_800.0
"""Points above the edge that are nearer than this to the last one belong to one alarm."""

_COUNTED = ("points", "alarms", "promised", "judged", "beyond", "lately")


class Record:
    """Counters of S series, each updated in constant time by a point.

    `points`: points seen; `alarms` and `promised`: happenings above the edge, and how many the budget allowed
    in the same time, both fading; `judged` and `beyond`: points with a score, and those of them above the
    edge, both fading; `lately`: the share above the edge of about the last day; `calm`: seconds since the
    score was last above the edge; `since` and `above`: when it was first and last above it in its newest
    happening, in Unix seconds; `excluded_` and a reason: points that were not learnt for it.
    """

    FIELDS: ClassVar[columns.Fields] = {
        **dict.fromkeys(_COUNTED, (0, np.float32, 0.0)),
        "calm": (0, np.float32, math.inf),
        "since": (0, np.float64, math.nan),
        "above": (0, np.float64, -math.inf),
        **{f"excluded_{reason}": (0, np.float32, 0.0) for reason in REASONS},
    }

    def __init__(self, step: float, rows: int = 0) -> None:
        """The record of `rows` series of which nothing is known, whose points are `step` seconds apart."""
        self.state = columns.fresh(self.FIELDS, rows)
        self._step = np.float32(step)
        self._kept = np.float32(math.exp2(-step / HALF_LIFE))
        self._apart = np.float32(max(APART, 3 * step))
        self._newest = np.float32(-math.expm1(-step / DAY))

    def step(self, present: Mask, score: Floats, budget: Floats | float) -> None:
        """Take in one point: who was there (S,), the scores, and the budget in seconds between alarms.

        A series is watched while it has a score.
        """
        state, calm = self.state, self.state["calm"]
        judged = (score == score).astype(np.float32)
        state["points"] += present
        for fading in ("alarms", "promised", "judged", "beyond"):
            state[fading] *= self._kept
        state["promised"] += judged * np.float32(self._step / budget)
        state["judged"] += judged
        state["lately"] *= 1 - self._newest * judged
        above = (score > 1).nonzero()[0]
        if len(above):
            state["alarms"][above] += calm[above] > self._apart
            state["beyond"][above] += 1
            state["lately"][above] += self._newest
            calm[above] = -self._step
        calm += self._step

    def mark(self, time: int, score: Floats) -> None:
        """Note when happenings began, known incidents included; `score` (S,) at Unix second `time`."""
        rows = (score > 1).nonzero()[0]
        if len(rows):
            fresh = rows[time - self.state["above"][rows] > self._apart]
            self.state["since"][fresh] = time
            self.state["above"][rows] = time

    def exclude(self, reasons: Mapping[Reason, Mask], present: Mask) -> None:
        """Count a point of those who are `present` under the reason why it was not learnt."""
        for reason, mask in reasons.items():
            self.state[f"excluded_{reason}"] += mask & present

    def excluded_ratio(self) -> dict[Reason, float]:
        """The share of the points seen that were not learnt, by reason; only reasons that occurred."""
        points = float(self.state["points"].sum(dtype=np.float64))
        counts = {it: float(self.state[f"excluded_{it}"].sum(dtype=np.float64)) for it in REASONS}
        return {reason: count / points for reason, count in counts.items() if count and points}

    def select(self, rows: Rows) -> None:
        """Rearrange so that new row i is old row `rows[i]`, or a fresh series where that is -1."""
        columns.select(self.state, self.FIELDS, rows)

    def put(self, rows: Rows, other: Record) -> None:
        """Overwrite `rows` with the series of `other`."""
        columns.put(self.state, rows, other.state)

    def false_alarm_ratio(self) -> float:
        """Alarms over those promised, in all series together; NaN before anything was promised."""
        promised = float(self.state["promised"].sum())
        return float(self.state["alarms"].sum()) / promised if promised else math.nan

    def contamination_ratio(self) -> float:
        """The share of the points learnt with a score that were above the edge; NaN before the first."""
        judged = float(self.state["judged"].sum(dtype=np.float64))
        return float(self.state["beyond"].sum(dtype=np.float64)) / judged if judged else math.nan

    def validation_ratio(self) -> float:
        """The same of about the last day, mean of the series that ever had a score; NaN where none had."""
        known = self.state["judged"] > 0
        return float(self.state["lately"][known].mean()) if known.any() else math.nan
