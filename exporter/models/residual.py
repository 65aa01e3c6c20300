"""A model whose idea is where it expects the value: the rest of the contract, on the chain of `chain.py`."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from exporter import columns, tail
from exporter.columns import Fields
from exporter.frame import Floats, Mask, Rows
from exporter.models.chain import Point, fields
from exporter.models.contract import Model, Scores, Settings, State
from exporter.models.idea import Lesson, Now
from exporter.seasons import LocalClock

FRESH = 2.5
"""A point is recent for so many steps."""

CHUNK = 16_384


class Residual:
    """A model whose idea is where it expects the value; the rest of the contract stands here.

    A subclass names its fields and the evidence of its edge, and says with `expect`, `start` and `learn` what
    its idea is. All of them work on the state of one chunk of series, in place.
    """

    own: ClassVar[Fields] = {}
    edge: ClassVar[float]
    """Evidence at which the score is 1, for one false alarm a week and a step of a minute; measured."""

    tails: ClassVar[int] = 1
    """1 where both sides share scale and tail law, else 2."""

    scales: ClassVar[bool] = True
    """Whether the chain learns a scale; where not, the spans are the scale."""

    def __init__(self, settings: Settings, rows_: int = 0) -> None:
        """A model of `rows_` fresh series."""
        self.settings = settings
        self.fields = {**fields(self.tails), **self.own}
        self.state: State = columns.fresh(self.fields, rows_)
        self._clock = LocalClock(settings.zone)
        self._edge = self.edge / tail.EDGE * tail.edge(settings.step)

    def expect(self, now: Now) -> Floats:
        """Where the value is expected, (S,), float64; NaN where nobody can say, and nothing is scored."""
        raise NotImplementedError

    def observe(self, values: Floats) -> None:
        """Look at all series' values (S,) together, before the chunks are scored."""

    def start(self, now: Now, x: Floats, first: Mask) -> None:
        """Take the first point `x` of the series in `first`."""

    def learn(self, now: Now, lesson: Lesson) -> None:
        """Learn from one point, in place."""
        raise NotImplementedError

    def ready(self) -> Mask:
        """Which series have left their warm-up, shape (S,)."""
        return self.known(self.state)

    def select(self, rows_: Rows) -> None:
        """Rearrange the state so that new row i is old row `rows_[i]`, or a fresh series where that is -1."""
        columns.select(self.state, self.fields, rows_)

    def put(self, rows_: Rows, other: Model) -> None:
        """Overwrite `rows_` with the series of `other`, a model of the same kind and settings."""
        columns.put(self.state, rows_, other.state)

    def step(
        self,
        time: int,
        values: Floats,
        learn: Mask,
        *,
        band: bool = True,
        strictness: Floats | float = 1.0,
        sunday: Mask | None = None,  # noqa: ARG002 - it keeps no season by day of the week
    ) -> Scores:
        """Score `values` (S,), observed at Unix second `time`, then learn those that `learn` allows."""
        at, size = self._clock.at(time), len(values)
        strict = np.asarray(strictness, np.float32)
        out = np.full((5, size), np.nan)
        self.observe(values)
        with np.errstate(over="ignore"):
            for start in range(0, size, CHUNK):
                of = slice(start, start + CHUNK)
                state = columns.part(self.state, of) if size > CHUNK else self.state
                recent = time - state["previous_time"] < FRESH * self.settings.step
                now = Now(state, time, at, self.settings.step, recent, of)
                point = Point(self, now, np.asarray(values[of], np.float64))
                point.score(out[:, of], self._edge, strict[of] if strict.ndim else strict, band)
                point.learn(learn[of], self._edge)
        return Scores(*out)

    def known(self, state: State) -> Mask:
        """Which series of a chunk have left their warm-up, (S,)."""
        return np.asarray(state["count"] * self.settings.step >= self.settings.warm_up)
