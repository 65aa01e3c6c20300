"""Series that a query has not seen before, on the way through their own history to join the others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from exporter.query.population import Population
from exporter.query.surroundings import Reader

PROBE = 3_600
"""Seconds of history that are asked for first: most newcomers were born a minute ago."""


class Newcomers:
    """Series of their own until `time`, the newest point they have learnt, is that of the others."""

    def __init__(self, reader: Reader, keys: Sequence[bytes]) -> None:
        self.reader = reader
        self.keys = keys
        self.series = self._population()
        self.time: int | None = None

    def advance(self, goal: int) -> None:
        """Step the newcomers to `goal`; TsdbError leaves them where they are."""
        if self.time is not None:
            self._through(self.time + self.reader.step, goal)
            self.time = goal
            return
        for span in (PROBE, int(self.reader.query.history)):
            self.series = self._population(self.keys)
            start = goal - span // self.reader.step * self.reader.step
            if not self._through(start, goal):
                break
        self.time = goal  # said last: from now on the others may take them in

    def _population(self, keys: Sequence[bytes] = ()) -> Population:
        reader = self.reader
        around = reader.around
        return Population(reader.query, around.zone, keys, remembers=reader.remembers, windows=around.windows)

    def _through(self, start: int, goal: int) -> bool:
        """Step through [start, goal]; whether a value lay in its first half, so that the past is longer."""
        older = False
        for frame in self.reader.range(start, goal, self.keys):
            for time, values, _ in self.series.replay(frame, goal, self.reader.halted):
                older = older or (time <= (start + goal) / 2 and bool(np.isfinite(values).any()))
        return older
