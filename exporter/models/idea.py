"""What a model with one residual is told and what it says: where it expects the value, and how it learns."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from exporter.frame import Floats, Mask
from exporter.models.contract import Settings, State
from exporter.seasons import Season


def gain(weight: Floats, young: Floats, step: float, memory: float) -> Floats:
    """The weight of one new point in a mean that remembers `memory` seconds, (S,).

    `young` is weight / count: while a series is young, plain means; later, exponential ones.
    """
    share: Floats = np.maximum(young, weight * np.float32(-math.expm1(-step / memory)))
    return share


@dataclass(slots=True)
class Now:
    """One instant of one chunk of series, the rows `of` the query, as a model's idea sees it.

    `recent` (S,) says whose last point is at most a few steps old. `spans`, which a model may set while it
    says what it expects: how much wider than usual values scatter now, (1, S) or, below and above, (2, S).
    """

    state: State
    time: int
    at: Season
    step: float
    recent: Mask
    of: slice
    spans: Floats | None = None


def faded(now: Now, offset: Floats, memory: float) -> Floats:
    """What is left of an `offset` (S,) after a gap; all of it where the last point is recent."""
    if now.recent.all():
        return offset
    left = np.exp((now.state["previous_time"] - now.time) / memory).astype(np.float32)
    kept: Floats = offset * np.where(now.recent, np.float32(1), left)
    return kept


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a point teaches, all (S,): its value `x` and bounded residual `error`, where `weight` is 1, not 0.

    `bounded` is the value that has this residual; `young` is weight / count.
    """

    x: Floats
    bounded: Floats
    error: Floats
    weight: Floats
    young: Floats


class Idea(Protocol):
    """What the chain asks of a model; all of it works on the state of one chunk of series, in place."""

    settings: Settings
    scales: ClassVar[bool]
    """Whether the chain learns a scale; where not, the spans are the scale."""

    def expect(self, now: Now) -> Floats:
        """Where the value is expected, (S,), float64; NaN where nobody can say, and nothing is scored."""
        ...

    def start(self, now: Now, x: Floats, first: Mask) -> None:
        """Take the first point `x` of the series in `first`."""
        ...

    def learn(self, now: Now, lesson: Lesson) -> None:
        """Learn from one point."""
        ...

    def known(self, state: State) -> Mask:
        """Which series of the chunk have left their warm-up, (S,)."""
        ...
