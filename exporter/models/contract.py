"""What every model is: a vectorised state machine, stepped once per point of time over all series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np

from exporter.columns import State as State
from exporter.frame import Floats, Mask, Rows

Direction = Literal["both", "up", "down"]
WEEK = 7 * 86_400.0


@dataclass(frozen=True, slots=True)
class Settings:
    """What a model is told about its query; durations in seconds, values in the unit of the query."""

    step: float
    zone: str = "UTC"
    direction: Direction = "both"
    minimum_deviation: float = 0.0
    minimum_relative_deviation: float = 0.0
    domain: tuple[float, float] = (-np.inf, np.inf)
    warm_up: float = 2 * 86_400.0
    normal: tuple[float, float] = (-np.inf, np.inf)
    """What is normal by decree, for the model that learns nothing; infinite where there is no such end."""
    adapts: float = 6 * 3_600.0


@dataclass(frozen=True, slots=True)
class Scores:
    """One step's outcome, each (S,), or (T, S) of T steps; NaN where a series is learning or missing.

    `score`: 0 at the expected value, 1 at the edge of normal. `deviation`: the sustained form of it.
    `expected`, `lower`, `upper`: the value leaves [lower, upper] exactly where `score` passes 1.
    """

    score: Floats
    deviation: Floats
    expected: Floats
    lower: Floats
    upper: Floats

    def at(self, step: int) -> Scores:
        """Of T steps the outcome of one."""
        return Scores(
            self.score[step], self.deviation[step], self.expected[step], self.lower[step], self.upper[step]
        )

    def alone(self) -> Scores:
        """The outcome of one step as that of T = 1 of them."""
        return Scores(
            *(it[None] for it in (self.score, self.deviation, self.expected, self.lower, self.upper))
        )


@dataclass(frozen=True, slots=True)
class Shifts:
    """The last level that was accepted as the new normal, per series (S,): NaN where there was none.

    `time`: Unix seconds; `size`: signed distance from the level before, in the unit of the query.
    """

    time: Floats
    size: Floats

    @classmethod
    def of(cls, model: Model, since: float) -> Shifts:
        """Those after Unix second `since`; a model that accepts no levels keeps no `shift_time`."""
        rows = len(model.ready())
        time = model.state.get("shift_time", np.zeros(rows))
        size = model.state.get("shift_size", np.zeros(rows))
        recent = time > max(since, 0)
        return cls(np.where(recent, time, np.nan), np.where(recent, size, np.nan).astype(np.float32))


class Model(Protocol):
    """The contract of `MODELS`: bootstrap, catching up, live scoring and backtest all call `step`."""

    settings: Settings
    state: State
    """Arrays with the series on the last axis; everything the model knows, and all that is saved."""

    def __init__(self, settings: Settings, rows: int = 0) -> None: ...

    def step(
        self,
        time: int,
        values: Floats,
        learn: Mask,
        *,
        band: bool = True,
        strictness: Floats | float = 1.0,
        sunday: Mask | None = None,
    ) -> Scores:
        """Score `values` (S,), observed at Unix second `time`, then learn those that `learn` allows.

        NaN is a missing point: not scored, not learnt. Times are strictly increasing.
        `band=False` spares the inversion that the band costs: `lower` and `upper` are NaN then, and all
        else is the same. A replay asks for the band of its last point only.
        `strictness` multiplies the edge, of all or of each series (S,), in what is returned and nowhere else:
        the state is the same whatever it is, so a sensitivity can be changed without learning anew.
        `sunday` (S,): for whom it is a Sunday, in models that know the days of the week.
        """
        ...

    def ready(self) -> Mask:
        """Which series have left their warm-up, shape (S,)."""
        ...

    def select(self, rows: Rows) -> None:
        """Rearrange the state so that new row i is old row `rows[i]`, or a fresh series where that is -1."""
        ...

    def put(self, rows: Rows, other: Model) -> None:
        """Overwrite `rows` with the series of `other`, a model of the same kind and settings."""
        ...


@runtime_checkable
class Batched(Protocol):
    """A model that takes in several points faster at once than one after the other."""

    def steps(
        self,
        times: Sequence[int],
        values: Floats,
        learn: Mask,
        *,
        band: bool = True,
        strictness: Floats | float = 1.0,
        sunday: Mask | None = None,
    ) -> Scores:
        """What `step` would say of `values` (T, S) in their order, (T, S) each; a `band` of the last.

        All else is as in `step`; the state is that after the last of them.
        """
        ...


@runtime_checkable
class Choosing(Protocol):
    """A model that judges each series by one of several others."""

    def choices(self) -> tuple[Sequence[str], Rows]:
        """Their names, and the number of the one that judges each series, (S,)."""
        ...

    def reasons(self) -> Floats:
        """How wide the band of each has been against that of the first, (C, S); NaN while unknown."""
        ...


@runtime_checkable
class Telling(Protocol):
    """A model that looks at a value in several ways, and tells what each made of the last one."""

    def told(self) -> Mapping[str, tuple[Floats, Floats]]:
        """By view: where it expected the value, and the evidence that it gave, (S,) each; 0: not strange."""
        ...


@runtime_checkable
class Recurring(Protocol):
    """A model that knows what the season adds at any time."""

    def season(self, time: float) -> Floats:
        """In the unit of the query, at Unix second `time`, (S,)."""
        ...


@runtime_checkable
class Acquainted(Protocol):
    """A model that knows how much of its seasons it has seen."""

    def acquainted(self) -> dict[str, Floats]:
        """The share of each season that is known, by its name, `day` or `week`: (S,), 0 to 1."""
        ...


@runtime_checkable
class Comparing(Protocol):
    """A model that compares the series of one query with each other, at the same time."""

    def compare(self, groups: Rows) -> None:
        """Compare each series only with those of the same number in `groups` (S,), from now on."""
        ...
