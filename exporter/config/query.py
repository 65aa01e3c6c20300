"""The shape of a query in `tidemark.yml`, and of what `scoring` may say for all of them."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from exporter.durations import format_duration
from exporter.kinds import (
    HOUR,
    Adapts,
    Budget,
    Interval,
    Offset,
    Pattern,
    QueryName,
    Section,
    Sensitivity,
    Text,
    TimeZone,
    WholeHours,
    Window,
)

Output = Literal["score", "deviation", "value", "band", "shift", "quality", "drift", "confidence"]
WEEK = 7 * 86_400.0
ModelName = Literal[
    "seasonal", "holt_winters", "quantile", "rate_of_change", "stl", "ets", "peers", "static", "auto"
]
Signal = Literal["traffic", "errors", "latency", "database", "dependency", "saturation"]
DriftTest = Literal[
    "level", "movement", "median", "spread", "ks", "wasserstein", "psi", "jensen_shannon", "classifier"
]
ALL_OUTPUTS: tuple[Output, ...] = ("score", "deviation", "value", "band", "shift", "quality", "drift")


class Domain(Section):
    """The values that a query can take at all; the band never leaves them."""

    min: float = Field(default=-math.inf, strict=False)
    max: float = Field(default=math.inf, strict=False)

    @model_validator(mode="after")
    def _ordered(self) -> Domain:
        if not self.min < self.max:
            raise ValueError(f"expected min below max, found {self.min:g} and {self.max:g}")
        return self


class Category(Section):
    """Series that are watched alike: those whose labels match `match` in all of it."""

    name: Text
    match: dict[str, Pattern] = Field(min_length=1)
    sensitivity: Sensitivity


def _distinct(found: tuple[Category, ...]) -> tuple[Category, ...]:
    names = [it.name for it in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"expected every name once, found twice: {', '.join(twice)}")
    return found


Categories = Annotated[tuple[Category, ...], Field(strict=False), AfterValidator(_distinct)]


class Normal(Section):
    """What is normal by decree, for `model: static`; one end may be left open."""

    min: float = Field(default=-math.inf, strict=False)
    max: float = Field(default=math.inf, strict=False)

    @model_validator(mode="after")
    def _ordered(self) -> Normal:
        if math.isinf(self.min) and math.isinf(self.max):
            raise ValueError("expected min, max or both")
        if not self.min < self.max:
            raise ValueError(f"expected min below max, found {self.min:g} and {self.max:g}")
        return self


class ForecastLimit(Section):
    """A level that must not be reached, from below (`above`) or from above (`below`)."""

    name: Text
    above: float | None = Field(default=None, strict=False)
    below: float | None = Field(default=None, strict=False)

    @model_validator(mode="after")
    def _one_side(self) -> ForecastLimit:
        if (self.above is None) == (self.below is None):
            raise ValueError("expected exactly one of above and below")
        return self


class Forecast(Section):
    """How far ahead a query's series are foretold, and which limits they must not reach."""

    horizons: tuple[Interval, ...] = Field(default=(3_600.0, 21_600.0, 86_400.0), strict=False, min_length=1)
    reach: Interval = 7 * 86_400.0
    limits: tuple[ForecastLimit, ...] = Field(default=(), strict=False)

    @model_validator(mode="after")
    def _in_order(self) -> Forecast:
        if any(later <= sooner for sooner, later in pairwise(self.horizons)):
            raise ValueError("horizons: expected each longer than the one before")
        names = [limit.name for limit in self.limits]
        if len(set(names)) < len(names):
            raise ValueError("limits: expected every name once")
        return self


class Drift(Section):
    """Windows of the recent past against a reference; `tests` are exposed beside the combined score."""

    enabled: bool = True
    window: Window = 86_400.0
    refresh: WholeHours = 86_400.0
    tests: tuple[DriftTest, ...] = Field(default=(), strict=False)


class Tuning(Section):
    """What may stand in `scoring` as the default of all queries, and in a query for itself alone."""

    step: Interval = 60.0
    offset: Offset = 30.0
    history: Interval = 21 * 86_400.0
    warm_up: Interval = 2 * 86_400.0
    sensitivity: Sensitivity | None = None
    false_alarms: Budget | None = None
    adapts: Adapts = 6 * 3_600.0
    model: ModelName = "seasonal"
    outputs: tuple[Output, ...] = Field(default=ALL_OUTPUTS, strict=False, min_length=1)
    max_series: int = Field(default=10_000, ge=1)

    @property
    def budget(self) -> float:
        """Seconds between the false alarms that a healthy series may raise."""
        return self.sensitivity or self.false_alarms or WEEK

    @model_validator(mode="after")
    def _one_budget(self) -> Tuning:
        if self.sensitivity and self.false_alarms:
            raise ValueError("expected only one of sensitivity and false_alarms")
        return self


class Scoring(Tuning):
    """The rhythm of the cycle, the time zone of its seasons, and the defaults of every query."""

    interval: Interval = 60.0
    time_zone: TimeZone = "UTC"


class Query(Tuning):
    """One expression, and what is normal for its series."""

    name: QueryName
    expr: Text
    signal: Signal | None = None
    direction: Literal["both", "up", "down"] = "both"
    minimum_deviation: float = Field(default=0.0, ge=0, strict=False)
    minimum_relative_deviation: float = Field(default=0.0, ge=0, strict=False)
    domain: Domain = Domain()
    missing: Literal["skip", "zero"] = "skip"
    stuck_after: Interval = 3_600.0
    categories: Categories = ()
    forecast: Forecast | None = None
    drift: Drift = Drift()
    peers_by: tuple[Text, ...] = Field(default=(), strict=False)
    normal: Normal | None = None

    @model_validator(mode="after")
    def _possible(self) -> Query:
        if self.step < 1 or self.step % 1:
            raise ValueError("step: expected whole seconds")
        if self.history < self.warm_up:
            raise ValueError(
                f"history ({format_duration(self.history)}) is shorter than "
                f"warm_up ({format_duration(self.warm_up)}): no series would ever be scored"
            )
        return self

    @property
    def watches_drift(self) -> bool:
        """Whether windows of this query are compared with its past; rarer points make no hours."""
        return self.drift.enabled and "drift" in self.outputs and self.step <= HOUR

    @model_validator(mode="after")
    def _foreseeable(self) -> Query:
        if self.forecast is None:
            return self
        if self.forecast.horizons[0] < self.step:
            raise ValueError(f"forecast.horizons: expected step ({format_duration(self.step)}) or more")
        if self.forecast.horizons[-1] > self.history / 2:
            raise ValueError(
                f"forecast.horizons: {format_duration(self.forecast.horizons[-1])} is more than half of "
                f"history ({format_duration(self.history)}): too few such forecasts could be checked"
            )
        return self

    @model_validator(mode="after")
    def _of_its_model(self) -> Query:
        if self.model == "static" and self.normal is None:
            raise ValueError("normal: is required with model: static, such as {min: 0, max: 0.8}")
        if self.model != "static" and self.normal is not None:
            raise ValueError(f"normal: only model: static has it, this query has model: {self.model}")
        if self.model != "peers" and self.peers_by:
            raise ValueError(f"peers_by: only model: peers has it, this query has model: {self.model}")
        return self
