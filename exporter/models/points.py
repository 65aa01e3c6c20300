"""A few successive points of a chunk of series: what is known of them before any is compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from exporter.columns import running
from exporter.frame import Floats, Mask
from exporter.models.contract import Settings, State
from exporter.seasons import Season

FRESH = 2.5
"""A point is recent for so many steps."""

LARGEST_VALUE = 1e30
"""What lies beyond, such as the largest float that some programs report for "none", is no measurement."""


@dataclass(frozen=True, slots=True)
class Batch:
    """T successive points of S series, as they come.

    `times`: Unix seconds; `at`: where each stands in local time; `values` (T, S), float64; `learn` (S,):
    which series may be taught.
    """

    times: Sequence[int]
    at: Sequence[Season]
    values: Floats
    learn: Mask

    def __len__(self) -> int:
        return len(self.times)

    def split(self, points: int) -> tuple[Batch, Batch]:
        """The first `points` of them, and the others."""
        return (
            Batch(self.times[:points], self.at[:points], self.values[:points], self.learn),
            Batch(self.times[points:], self.at[points:], self.values[points:], self.learn),
        )

    def present(self) -> Mask:
        """Which of the values are measurements, (T, S)."""
        return np.asarray(np.abs(self.values) < LARGEST_VALUE)

    def learnt(self) -> Mask:
        """Which of them teach, (T, S)."""
        return self.present() & self.learn


@dataclass(frozen=True, slots=True)
class Points:
    """T successive points of S series, and what is known of them before any is compared; all (T, S).

    `present`, `learnt`: which of the `values` are measurements, and which of those teach; `weight`: `learnt`
    as 0 or 1; `count`: points learnt before each; `recent`: for whom the point before is not long ago.
    Of a single point some of these are views of the state.
    """

    times: Sequence[int]
    at: Sequence[Season]
    values: Floats
    present: Mask
    learnt: Mask
    weight: Floats
    count: Floats
    recent: Mask

    @classmethod
    def of(cls, state: State, settings: Settings, batch: Batch) -> Points:
        """The points of `batch` as they follow on `state`."""
        present = batch.present()
        learnt = present & batch.learn
        weight = learnt.astype(np.float32)
        count = running(np.add, state["count"], weight[:-1])
        recent = _recent(state, settings, batch.times, learnt)
        return cls(batch.times, batch.at, batch.values, present, learnt, weight, count, recent)

    def __len__(self) -> int:
        return len(self.times)

    def ready(self, settings: Settings) -> Mask:
        """Which series have left their warm-up before each point, (T, S)."""
        return np.asarray(self.count >= settings.warm_up / settings.step)

    def count_earlier(self, state: State) -> None:
        """Keep in `state` how many points were learnt before the last of these."""
        state["count"][...] = self.count[-1]

    def count_last(self, state: State) -> None:
        """Keep how many were learnt with the last of these, and when the last was."""
        np.add(self.count[-1], self.weight[-1], out=state["count"])
        for time, learnt in zip(self.times, self.learnt, strict=True):
            np.copyto(state["previous_time"], time, where=learnt)


def _recent(state: State, settings: Settings, times: Sequence[int], learnt: Mask) -> Mask:
    """For whom the point before is not long ago, (T, S)."""
    recent, newest = np.empty(learnt.shape, bool), state["previous_time"]
    for number, time in enumerate(times):
        np.greater(newest, time - FRESH * settings.step, out=recent[number])
        if number < len(times) - 1:
            newest = np.where(learnt[number], time, newest)
    return recent
