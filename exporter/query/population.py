"""The series of one query and their model, which grow, shrink and step together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import numpy as np

from exporter.calendars.exclusions import Exclusions, Treatment
from exporter.calendars.windows import Windows
from exporter.config.query import Query
from exporter.drift.hours import Hours
from exporter.drift.latest import Latest
from exporter.forecast import Forecaster, Foretold, Plan
from exporter.frame import Floats, Frame, Mask, Rows
from exporter.models import MODELS
from exporter.models.contract import Batched, Choosing, Comparing, Model, Recurring, Scores, Shifts
from exporter.models.contract import Settings as ModelSettings
from exporter.query.confidence import confidence
from exporter.query.quality import Quality
from exporter.query.record import Record
from exporter.query.residuals import Residuals
from exporter.query.roster import UNKNOWN, Roster
from exporter.query.sensitivity import Named, Sensitivity
from exporter.query.stretches import stretches, together_at_most

LARGEST = 1e37
"""Beyond it squares of float32 overflow, and one absurd value would spoil what was learnt."""


def model_settings(query: Query, zone: str) -> ModelSettings:
    """What the model of `query` is told."""
    return ModelSettings(
        step=query.step,
        zone=zone,
        direction=query.direction,
        minimum_deviation=query.minimum_deviation,
        minimum_relative_deviation=query.minimum_relative_deviation,
        domain=(query.domain.min, query.domain.max),
        warm_up=query.warm_up,
        normal=(query.normal.min, query.normal.max) if query.normal else (-np.inf, np.inf),
        adapts=query.adapts,
    )


class Stopped(Exception):
    """The work was ended between two points; what was learnt up to there can be saved."""


class Population:
    """A roster of S series and the model whose state has one column for each of them."""

    def __init__(
        self,
        query: Query,
        zone: str,
        keys: Sequence[bytes] = (),
        *,
        remembers: bool = False,
        windows: Windows | None = None,
    ) -> None:
        """`remembers`: whether a group needs the past of the residuals; `windows`: what is not as usual."""
        self.query = query
        self.windows = windows or Windows()
        self.roster = Roster(query.name, keys)
        self.begun = False
        self.model: Model = MODELS[query.model](model_settings(query, zone), len(keys))
        self.residuals = Residuals(query.step, len(keys)) if remembers else None
        self.record = Record(query.step, len(keys))
        self.quality = Quality.of(query, len(keys))
        plan = Plan.of(query)
        self.forecaster = Forecaster(plan, len(keys)) if plan else None
        self.refused: Counter[str] = Counter()
        self.hours = Hours(query.step, len(keys)) if query.watches_drift else None
        self.drifting = Latest()
        self._classify()

    def __len__(self) -> int:
        return len(self.roster)

    def choices(self) -> tuple[Sequence[str], Rows]:
        """The names of the models that judge the series, and the number of each series' own, (S,)."""
        if isinstance(self.model, Choosing):
            return self.model.choices()
        return (self.query.model,), np.zeros(len(self), np.intp)

    def spread(self, keys: Sequence[bytes], values: Floats) -> Floats:
        """`values` (len(keys), ...) by row of the roster, NaN where it has none; other series fall away."""
        rows = self.roster.locate(keys)
        known = rows != UNKNOWN
        out = np.full((len(self), *values.shape[1:]), np.nan)
        out[rows[known]] = values[known]
        return out

    def replay(
        self, frame: Frame, last: int, halted: Callable[[], bool], *, bands: bool = False
    ) -> Iterator[tuple[int, Floats, Scores]]:
        """Step through the times of `frame`, yielding (time, values, scores).

        A band only at `last`, unless `bands`. Stopped as soon as `halted()`.
        """
        aligned = list(frame.keys) == list(self.roster.keys)
        placed = frame.values if aligned else self.spread(frame.keys, frame.values)
        matrix = placed.T.copy(order="C")
        self.refused.update(self.quality.refuse(matrix))
        answered, times = self._answered(frame.values), frame.times.tolist()
        # A forecast looks at the season that the model has learnt up to each point
        together = isinstance(self.model, Batched) and not self.forecaster and not bands
        most = together_at_most(len(self)) if together else 1
        for of, taken in stretches(times, self.query.step, self.exclusions.at, most):
            if halted():
                raise Stopped
            values, band = matrix[of], bands or times[of][-1] == last
            scores = self._steps(times[of], values, answered[of], taken, band)
            for point, time in enumerate(times[of]):
                yield time, values[point], scores.at(point)

    def step(self, time: int, values: Floats, answered: bool) -> Scores:
        """Score and learn `values` (S,), from which what cannot be true is taken out."""
        self.refused.update(self.quality.refuse(values))
        taken = self.exclusions.at(time)
        return self._steps([time], values[None], np.array([answered]), taken, True).at(0)

    def _answered(self, values: Floats) -> Mask:
        """At which times the query had an answer, (T,); it matters only where absent counts become 0."""
        if self.query.missing == "zero":
            return np.asarray(np.isfinite(values).any(axis=0))
        return np.ones(values.shape[1], bool)

    def _steps(
        self, times: Sequence[int], values: Floats, answered: Mask, taken: Treatment, band: bool
    ) -> Scores:
        """Take in `values` (T, S), with a `band` for the last of them.

        At the times at which the query `answered` (T,), absent counts become 0 in them if the query says so.
        """
        seen = values == values
        if not self.begun and not seen.any():
            # There is nothing to remember of a past without points
            return Scores(*np.full((5, *values.shape), np.nan))
        self.begun = True
        if self.query.missing == "zero":
            self._fill(values, seen, answered)
        self.roster.see(times, seen)
        bounded = values.clip(-LARGEST, LARGEST)
        if taken.hidden is not None:
            bounded[:, taken.hidden] = np.nan
        if self.forecaster:
            self.forecaster.step(times[0], bounded[0], taken.learn, self._season)
        scores = self._scored(times, bounded, taken, band)
        self._note(times, values, bounded, scores, taken)
        return scores

    def _fill(self, values: Floats, seen: Mask, answered: Mask) -> None:
        """Where a series that was seen before is absent from an answer, its count is 0."""
        before = np.concatenate(((self.roster.last_seen > 0)[None], seen[:-1]))
        np.logical_or.accumulate(before, out=before)
        values[~seen & before & answered[:, None]] = 0.0

    def _scored(self, times: Sequence[int], bounded: Floats, taken: Treatment, band: bool) -> Scores:
        """What the model makes of `bounded` (T, S); more than one point at once only where it can do that."""
        strictness, sunday = self.strictness, taken.sunday
        if len(times) > 1:
            return cast(Batched, self.model).steps(
                times, bounded, taken.learn, band=band, strictness=strictness, sunday=sunday
            )
        return self.model.step(
            times[0], bounded[0], taken.learn, band=band, strictness=strictness, sunday=sunday
        ).alone()

    def _note(
        self, times: Sequence[int], values: Floats, bounded: Floats, scores: Scores, taken: Treatment
    ) -> None:
        """Keep what is remembered beside the model; what is known to be an incident is no false alarm."""
        self.quality.steps(times, values)
        self.record.count(values == values, taken.reasons)
        self.record.steps(times, scores.score, self.budget, taken.learn if taken.reasons else None)
        if self.residuals is not None:
            strayed, plain = bounded - scores.expected, scores.score * self.strictness
            for time, score, distance in zip(times, plain, strayed, strict=True):
                self.residuals.step(time, score, distance, taken.learn)
        if self.hours is not None:
            usual = taken.learn if taken.sunday is None else taken.learn & ~taken.sunday
            self.hours.add(times, bounded, usual)

    def _season(self, time: float) -> Floats:
        """What the model's season adds at `time`, (S,); 0 where the model has none."""
        return self.model.season(time) if isinstance(self.model, Recurring) else np.zeros(len(self))

    def foretold(self, time: int) -> Foretold | None:
        """What is foretold at `time`; None where nothing is asked for."""
        if self.forecaster is None:
            return None
        ahead = self.forecaster.ahead(time, self._season)
        return Foretold(ahead, self.forecaster.until(time, self._season), self.forecaster.error_ratio())

    def beside(self, time: int) -> dict[str, Floats]:
        """What is said of each series (S,) beside its score at `time`, by metric family."""
        shifts = Shifts.of(self.model, time - self.query.history)
        return {
            "anomaly_level_shift_timestamp_seconds": shifts.time,
            "anomaly_level_shift_size": shifts.size,
            "anomaly_confidence": np.round(self._confidence(time, time - shifts.time), 3),
        }

    def _confidence(self, time: int, since_shift: Floats) -> Floats:
        raised = self.model.state.get("factor", 1.0)
        known, share = self.record.state["points"] * self.query.step, self.quality.state["share"]
        drift = self.drifting.of(self.roster.rendered, time)
        return confidence(known, self.query.warm_up, share, since_shift, raised, drift)

    def retune(self, query: Query, zone: str, *, remembers: bool = False) -> None:
        """Go on under other settings of the same model: what was learnt stays, within `max_series`."""
        self.residuals = self.residuals if remembers else None
        self.hours = self.hours if query.watches_drift else None
        state = self.model.state
        self.query, self.model = query, MODELS[query.model](model_settings(query, zone), len(self))
        self.model.state = state
        known = self.quality.state
        self.quality = Quality.of(query, len(self))
        self.quality.state = known
        if self.forecaster and (plan := Plan.of(query)):
            self.forecaster = self.forecaster.replanned(plan)
        self._classify()
        self.keep(np.arange(min(len(self), query.max_series)))

    def _parts(self) -> dict[str, Any]:
        """By name, all that has a column for each series and can `select` and `put` them."""
        parts = {
            "model": self.model,
            "record": self.record,
            "quality": self.quality,
            "forecaster": self.forecaster,
            "residuals": self.residuals,
            "hours": self.hours,
        }
        return {name: part for name, part in parts.items() if part is not None}

    def join(self, other: Population) -> None:
        """Take over the series of `other`, at the end."""
        old, new = len(self), len(other)
        rows = np.arange(old, old + new)
        self.roster.add(other.roster.keys)
        self.roster.last_seen[rows] = other.roster.last_seen
        grown = np.append(np.arange(old), np.full(new, UNKNOWN))
        self.refused.update(other.refused)
        theirs = other._parts()
        for name, part in self._parts().items():
            part.select(grown)
            if name in theirs:
                part.put(rows, theirs[name])
        self._classify()

    def keep(self, rows: Rows) -> None:
        """Let go of every series that is not in `rows`."""
        if len(rows) < len(self):
            self.roster = self.roster.selected(rows)
            for part in self._parts().values():
                part.select(rows)
            self._classify()

    def forget(self, before: float) -> None:
        """Let go of the series that were last seen at `before` or earlier."""
        self.keep(np.flatnonzero(self.roster.last_seen > before))

    def admit(self, keys: Sequence[bytes], time: int) -> Sequence[bytes]:
        """As many of `keys` as `max_series` has room for, once series that are gone at `time` made way."""
        over = len(self) + len(keys) - self.query.max_series
        if over > 0:
            gone = np.flatnonzero(self.roster.last_seen < time)
            oldest = gone[np.argsort(self.roster.last_seen[gone], kind="stable")][:over]
            self.keep(np.setdiff1d(np.arange(len(self)), oldest))
        return keys[: max(0, self.query.max_series - len(self))]

    def _classify(self) -> None:
        """Find what is said of some series only: categories, how strictly they judge, and windows."""
        self.sensitivity = Sensitivity(self.query)
        categories = self.sensitivity.categories(self.roster.labels)
        self.strictness = self.sensitivity.strictness(categories)
        self.budget = self.sensitivity.budget(categories)
        self.named = Named.of(self.sensitivity.names, categories, self.roster.rendered)
        self.exclusions = Exclusions(self.windows, self.roster.labels)
        self._compare()

    def _compare(self) -> None:
        """Tell a model that compares series which of them belong together: those alike in `peers_by`."""
        if not isinstance(self.model, Comparing):
            return
        numbers: dict[tuple[str, ...], int] = {}
        alike = (tuple(labels.get(it, "") for it in self.query.peers_by) for labels in self.roster.labels)
        groups = [numbers.setdefault(values, len(numbers)) for values in alike]
        self.model.compare(np.array(groups, np.intp))
