"""What is remembered of each series beside its model: its age, and how often it was beyond the edge."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
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

    def steps(
        self, times: Sequence[int], score: Floats, budget: Floats | float, learn: Mask | None = None
    ) -> None:
        """Take in T successive points, of half an hour at most.

        `score` (T, S) at the Unix seconds `times`, NaN where a series is not watched; `budget` in seconds
        between alarms, (S,) or one. What is known to be an incident, where `learn` (S,) is False, is a
        happening, but no alarm.
        """
        state, points = self.state, len(score)
        watched = (score == score).astype(np.float32)
        at, series = (score > 1).nonzero()
        if len(at):
            self._mark(np.asarray(times)[at], series)
        if learn is not None:
            watched *= learn
            at, series = at[learn[series]], series[learn[series]]
        faded = self._kept ** np.arange(points, -1, -1, dtype=np.float32)
        for fading in ("alarms", "promised", "judged", "beyond"):
            state[fading] *= faded[0]
        judged = np.add.reduce(watched * faded[1:, None])
        state["promised"] += judged * np.float32(self._step / budget)
        state["judged"] += judged
        newest = 1 - self._newest * watched
        state["lately"] *= np.multiply.reduce(newest)
        if len(at):
            self._alarm(at, series, faded[1:], newest)
        state["calm"] += points * self._step

    def _mark(self, times: Rows, series: Rows) -> None:
        """Note when the happenings above the edge began, `times[i]` in `series[i]`, in the order of time."""
        since, above = self.state["since"], self.state["above"]
        _, first = np.unique(series, return_index=True)
        began = first[times[first] - above[series[first]] > self._apart]
        since[series[began]] = times[began]
        above[series] = times  # of several the last counts

    def _alarm(self, at: Rows, series: Rows, faded: Floats, newest: Floats) -> None:
        """Count the points `at[i]` of `series[i]` above the edge, in the order of time.

        Those of one series lie so near to each other that only the first of them can begin an alarm.
        """
        state, calm = self.state, self.state["calm"]
        np.add.at(state["beyond"], series, faded[at])
        share = np.full(len(at), self._newest)
        for point, left in enumerate(newest):
            share *= np.where(point > at, left[series], 1)
        np.add.at(state["lately"], series, share)
        series_of_first, first = np.unique(series, return_index=True)
        begun = calm[series_of_first] + at[first] * self._step > self._apart
        state["alarms"][series_of_first] += faded[at[first]] * begun
        calm[series] = -(at + 1) * self._step  # of several the last counts

    def count(self, present: Mask, reasons: Mapping[Reason, Mask]) -> None:
        """Count the points of those who are `present` (T, S), and why some of them were not learnt."""
        points = np.add.reduce(present, dtype=np.float32)
        self.state["points"] += points
        for reason, mask in reasons.items():
            self.state[f"excluded_{reason}"] += points * mask

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
