"""What a forecast is asked for, the ways to make it, and how past ones are kept until their time comes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from exporter import columns
from exporter.config.query import Query

HOUR, DAY = 3_600.0, 86_400.0


@dataclass(frozen=True, slots=True)
class Track:
    """One way to carry a series on: seconds in which its level is learnt, and its slope if it has one."""

    level: float
    slope: float = math.inf
    seasonal: bool = True


TRACKS = (
    Track(HOUR),
    Track(DAY),
    Track(DAY, 7 * DAY),
    Track(HOUR, seasonal=False),
    Track(6 * HOUR, 2 * DAY, seasonal=False),
    Track(DAY, 7 * DAY, seasonal=False),
)
SEASONAL = np.array([[track.seasonal] for track in TRACKS], np.float64)

KEPT = 24
"""Forecasts per horizon that wait for their time to come."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A level that must not be reached: from below where it lies `above`, else from above."""

    name: str
    level: float
    above: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked: horizons (ascending) and reach in seconds, limits, and the domain of the values."""

    step: float
    horizons: tuple[float, ...]
    reach: float
    limits: tuple[Limit, ...] = ()
    domain: tuple[float, float] = (-math.inf, math.inf)

    @classmethod
    def of(cls, query: Query) -> Plan | None:
        """What `query` asks for; None where it asks for nothing."""
        if (asked := query.forecast) is None:
            return None
        above = tuple(Limit(it.name, it.above, above=True) for it in asked.limits if it.above is not None)
        below = tuple(Limit(it.name, it.below, above=False) for it in asked.limits if it.below is not None)
        domain = (query.domain.min, query.domain.max)
        return cls(query.step, asked.horizons, asked.reach, above + below, domain)

    @property
    def tick(self) -> int:
        """Seconds between two updates: an hour, or a quarter of the shortest horizon; a multiple of step."""
        return int(self.step) * max(1, int(min(HOUR, self.horizons[0] / 4) // self.step))

    def rings(self) -> Iterator[Ring]:
        """Per horizon, how its past forecasts are kept."""
        for number, horizon in enumerate(self.horizons):
            ticks = max(1, round(horizon / self.tick))
            apart = -(-ticks // KEPT)
            yield Ring(number, apart, -(-ticks // apart))


@dataclass(frozen=True, slots=True)
class Ring:
    """The forecasts of one horizon: one every `apart` ticks, `length` of them under way."""

    number: int
    apart: int
    length: int

    def fields(self) -> columns.Fields:
        """State by name, for `columns.fresh`.

        `made`: forecasts by track; `then`: the value when they were made; `error`: mean error by track and,
        last, of the value as it was then; `met`: forecasts in it; `width`: log of the half band over it.
        """
        tracks, nan = len(TRACKS), math.nan
        return {
            f"made{self.number}": (self.length * tracks, np.float32, nan),
            f"then{self.number}": (self.length, np.float32, nan),
            f"error{self.number}": (tracks + 1, np.float32, 0),
            f"met{self.number}": (0, np.float32, 0),
            f"width{self.number}": (0, np.float32, math.log(2)),
        }
