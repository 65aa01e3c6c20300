"""The series of one query and their model, which grow, shrink and step together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from exporter.calendars.exclusions import Exclusions, Treatment
from exporter.calendars.windows import Windows
from exporter.config.query import Query
from exporter.drift.hours import Hours
from exporter.drift.latest import Latest
from exporter.forecast import Forecaster, Foretold, Plan
from exporter.frame import Floats, Frame, Mask, Rows
from exporter.models import MODELS
from exporter.models.contract import Choosing, Comparing, Model, Recurring, Scores, Shifts
from exporter.models.contract import Settings as ModelSettings
from exporter.query.confidence import confidence
from exporter.query.quality import Quality
from exporter.query.record import Record
from exporter.query.residuals import Residuals
from exporter.query.roster import UNKNOWN, Roster
from exporter.query.sensitivity import Named, Sensitivity

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
        answered = self._answered(frame.values)
        for column, time in enumerate(frame.times.tolist()):
            if halted():
                raise Stopped
            values = matrix[column]
            yield time, values, self._step(time, values, bool(answered[column]), band=bands or time == last)

    def step(self, time: int, values: Floats, answered: bool) -> Scores:
        """Score and learn `values` (S,), from which what cannot be true is taken out."""
        self.refused.update(self.quality.refuse(values))
        return self._step(time, values, answered)

    def _answered(self, values: Floats) -> Mask:
        """At which times the query had an answer, (T,); it matters only where absent counts become 0."""
        if self.query.missing == "zero":
            return np.asarray(np.isfinite(values).any(axis=0))
        return np.ones(values.shape[1], bool)

    def _step(self, time: int, values: Floats, answered: bool, *, band: bool = True) -> Scores:
        """Where the query `answered` at all, absent counts become 0 in `values` if the query says so."""
        seen = values == values
        if not self.begun and not seen.any():
            return Scores(*np.full((5, len(values)), np.nan))  # nothing to remember of a past without points
        self.begun = True
        if self.query.missing == "zero" and answered:
            values[~seen & (self.roster.last_seen > 0)] = 0.0
        np.copyto(self.roster.last_seen, time, where=seen)
        bounded = values.clip(-LARGEST, LARGEST)
        taken = self.exclusions.at(time)
        if taken.hidden is not None:
            bounded[taken.hidden] = np.nan
        if self.forecaster:
            self.forecaster.step(time, bounded, taken.learn, self._season)
        scores = self.model.step(
            time, bounded, taken.learn, band=band, strictness=self.strictness, sunday=taken.sunday
        )
        self.quality.step(time, values)
        self.record.mark(time, scores.score)
        self._note(values == values, scores, taken)
        if self.residuals is not None:
            strayed = bounded - scores.expected
            self.residuals.step(time, scores.score * self.strictness, strayed, taken.learn)
        if self.hours is not None:
            self.hours.add(
                time, bounded, taken.learn if taken.sunday is None else taken.learn & ~taken.sunday
            )
        return scores

    def _note(self, present: Mask, scores: Scores, taken: Treatment) -> None:
        """Keep the record; what is known to be an incident is no false alarm."""
        if not taken.reasons:
            self.record.step(present, scores.score, self.budget)
            return
        self.record.step(present, np.where(taken.learn, scores.score, np.nan), self.budget)
        self.record.exclude(taken.reasons, present)

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

    def join(self, other: Population) -> None:
        """Take over the series of `other`, at the end."""
        old, new = len(self), len(other)
        rows = np.arange(old, old + new)
        self.roster.add(other.roster.keys)
        self.roster.last_seen[rows] = other.roster.last_seen
        grown = np.append(np.arange(old), np.full(new, UNKNOWN))
        self.model.select(grown)
        self.model.put(rows, other.model)
        self.record.select(grown)
        self.record.put(rows, other.record)
        self.quality.select(grown)
        self.quality.put(rows, other.quality)
        if self.forecaster and other.forecaster:
            self.forecaster.select(grown)
            self.forecaster.put(rows, other.forecaster)
        self.refused.update(other.refused)
        if self.residuals and other.residuals:
            self.residuals.select(grown)
            self.residuals.put(rows, other.residuals)
        if self.hours is not None and other.hours is not None:
            self.hours.select(grown)
            self.hours.put(rows, other.hours)
        self._classify()

    def keep(self, rows: Rows) -> None:
        """Let go of every series that is not in `rows`."""
        if len(rows) < len(self):
            self.roster = self.roster.selected(rows)
            self.model.select(rows)
            self.record.select(rows)
            self.quality.select(rows)
            if self.forecaster:
                self.forecaster.select(rows)
            if self.residuals is not None:
                self.residuals.select(rows)
            if self.hours is not None:
                self.hours.select(rows)
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
