"""One query's place in time: it brings its series forward, point by point, to the newest that can be read."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import structlog

from exporter import survey
from exporter.config.query import Query
from exporter.drift.watch import Known
from exporter.durations import format_duration
from exporter.facts import facts
from exporter.frame import Floats, Mask
from exporter.metrics.exposition import QueryScores, Table, exposed_families, with_choice, with_label
from exporter.models.contract import Choosing, Scores
from exporter.newcomers import Newcomers
from exporter.population import Population
from exporter.residuals import Present
from exporter.surroundings import SHORT, Reader, Surroundings

_log = structlog.get_logger("scorer")


Listener = Callable[[int, Floats, Scores], None]
"""Hears of every point: its Unix second, the values (S,) and what the model said of them."""


class Scorer:
    """The series of one query, and `time`: the newest point they have learnt (None: nothing yet)."""

    def __init__(self, query: Query, around: Surroundings) -> None:
        self.query = query
        self.reader = Reader(query, around)
        self.series = self._population(())
        self.newcomers: Newcomers | None = None
        self.time: int | None = None
        self.begun = 0
        self.scores: QueryScores | None = None
        self.present: Present | None = None
        self.reference: Known | None = None
        self.counts: Mapping[str, int] = {}
        self.progress = 0.0
        self.dropped = 0
        self.listener: Listener | None = None
        self._refused: frozenset[bytes] = frozenset()
        self._surveyed = -1
        self._adopted: tuple[Query, Surroundings] | None = None

    def target(self, now: float) -> int:
        """The newest point that can be read at Unix second `now`."""
        return int((now - self.query.offset) // self.query.step) * int(self.query.step)

    def fresh(self, now: float) -> bool:
        """Whether the scores still speak of the present: at most one cycle was missed since their point."""
        oldest = now - self.query.offset - self.query.step - 2 * self.reader.around.interval
        return self.scores is not None and self.scores.time >= oldest

    def is_behind(self, now: float) -> bool:
        """Whether the next turn reads a long past."""
        return self.time is None or self.target(now) - self.time > SHORT * self.query.step

    def advance(self, now: float) -> None:
        """Read, score and learn every point up to `target(now)`; TsdbError or DuplicateSeries when it cannot.

        A failure leaves the series at the last point they learnt, so the next turn reads the gap.
        """
        self._take_over()
        target = self.target(now)
        if self.time is not None and now < self.time - 2 * self.query.step:
            _log.warning("clock went back, rebuilding", query=self.query.name, seconds=self.time - target)
            self.time = None
        time = self._begin(target) if self.time is None else self.time
        if time < target - self.query.step:
            self._catch_up(time, target)
        elif time < target:
            self._live(target)

    def meet(self) -> None:
        """Bring the newcomers to where the others are; may run beside `advance`, which lets them join."""
        if self.newcomers and self.time is not None:
            self.newcomers.advance(self.time)

    def adopt(self, query: Query, around: Surroundings) -> None:
        """Go on, from the next turn, under changed settings that need no new learning."""
        self._adopted = (query, around)

    def awaits_newcomers(self) -> bool:
        """Whether `meet` has something to do."""
        return self.newcomers is not None and self.newcomers.time != self.time

    def lose(self) -> None:
        """Expose nothing until a turn succeeds."""
        self.scores, self.present, self.newcomers = None, None, None
        self._tell_models(np.zeros(len(self.series), bool))
        self._count(0, 0, len(self.series))

    def _take_over(self) -> None:
        """What was decided since the last turn: other settings, newcomers that have caught up."""
        if self._adopted:
            self.query, self.reader.around = self._adopted
            self.reader.query = self.query
            self.series.retune(self.query, self.reader.around.zone, remembers=self.reader.remembers)
            self._adopted = self.newcomers = None
        if self.newcomers and self.newcomers.time is not None and self.newcomers.time == self.time:
            self.series.join(self.newcomers.series)
            self.newcomers = None

    def _begin(self, target: int) -> int:
        """Start from nothing, `history` before `target`, with the series that are alive now."""
        _, alive = self.reader.instant(target)
        admitted = self._admitted(self._population(()), alive, target)
        self.series = self._population(admitted)
        self.scores, self.present, self.newcomers, self.reference = None, None, None, None
        self.progress = 0.0
        self.begun = target - int(self.query.history // self.query.step) * int(self.query.step)
        self.time = self.begun if admitted else target
        if admitted:
            _log.info("learning from history", query=self.query.name, series=len(admitted), since=self.begun)
        else:
            _log.warning("the expression returns no series", query=self.query.name, expr=self.query.expr)
            self._count(0, 0, 0)
        return self.time

    def _population(self, keys: Sequence[bytes]) -> Population:
        around, remembers = self.reader.around, self.reader.remembers
        return Population(self.query, around.zone, keys, remembers=remembers, windows=around.windows)

    def _catch_up(self, time: int, target: int) -> None:
        """Read and step the points after `time`; scores follow once the newest one is reached."""
        for frame in self.reader.range(time + self.reader.step, target):
            banded = self.listener is not None
            points = self.series.replay(frame, target, self.reader.halted, bands=banded)
            for time, values, scores in points:
                self.time = time
                if self.listener:
                    self.listener(time, values, scores)
                if time == target:
                    self._publish(target, values, scores)
            self._progress((time - self.begun) / max(1, target - self.begun))
        self._tell_refused()
        last = np.isfinite(frame.values[:, -1])
        self._welcome([frame.keys[row] for row in np.flatnonzero(last).tolist()], target)

    def _live(self, target: int) -> None:
        """The cycle's hot path: one instant read, one step."""
        vector, alive = self.reader.instant(target)
        if alive and not len(self.series):
            self.time = None  # the first series there are: the next turn is a bootstrap
            return
        self.series.roster.unknown(vector.keys)
        values = self.series.spread(vector.keys, vector.values)
        scores = self.series.step(target, values, bool(alive))
        self.time = target
        if self.listener:
            self.listener(target, values, scores)
        self._publish(target, values, scores)
        self._tell_refused()
        self._welcome(alive, target)

    def _welcome(self, alive: Sequence[bytes], target: int) -> None:
        """Note who is new, and let go of series that were not seen for a whole history."""
        self.series.forget(target - self.query.history)
        if self.newcomers is None:
            admitted = self._admitted(self.series, alive, target)
            self.newcomers = Newcomers(self.reader, admitted) if admitted else None

    def _admitted(self, series: Population, alive: Sequence[bytes], time: int) -> Sequence[bytes]:
        """Those of `alive` that are unknown and find room; the others are refused until there is some."""
        if (series.roster.last_seen < time).any():
            self._refused = frozenset()
        candidates = [key for key in alive if key not in self._refused] if self._refused else alive
        unknown = series.roster.unknown(candidates)
        admitted = series.admit(unknown, time)
        still = self._refused.intersection(alive) if self._refused else self._refused
        self._refused = still.union(unknown[len(admitted) :])
        self.dropped = len(self._refused)
        self.reader.tell("query_dropped_series", self.dropped, reason="limit")
        return admitted

    def _publish(self, time: int, values: Floats, scores: Scores) -> None:
        beside = self.series.beside(time)
        roster = self.series.roster
        told = self.series.quality.told(time + self.query.offset, roster.last_seen)
        families = exposed_families(self.query.outputs, values, scores, beside, told)
        judged = np.isfinite(scores.score)
        tables = (
            *self._tell_models(judged),
            *self._foretold(time, np.isfinite(values)),
            *self._resting(time, told),
            *self.series.named.tables(judged),
        )
        known, names = facts(self.series, time, beside), self.series.choices()[0]
        self.scores = QueryScores(
            self.query.name, time, roster.rendered, roster.labels, families, tables, known, names
        )
        if residuals := self.series.residuals:
            strayed = residuals.state["residual"].copy()
            self.present = Present(self.query.name, time, roster.labels, scores.score, strayed)
        scored, present = int(judged.sum()), int(np.isfinite(values).sum())
        paused = self._paused(time, values)
        self._count(scored, present - scored - paused, len(values) - present, paused)
        self._tell_what_is_known()
        self._tell_input(values, told["anomaly_input_lag_seconds"])
        self._survey(time, values, judged)
        self._progress(1.0)

    def _foretold(self, time: int, here: Mask) -> Sequence[Table]:
        """The forecasts of the series that are `here`, by horizon and by limit."""
        foretold, labels = self.series.foretold(time), self.series.roster.rendered
        if foretold is None:
            return ()
        for horizon, ratio in foretold.error_ratio.items():
            self.reader.tell("forecast_error_ratio", ratio, horizon=format_duration(horizon))
        names = ("forecast_value", "forecast_lower", "forecast_upper")
        ahead = (
            Table(
                with_label(labels, "horizon", format_duration(horizon)),
                {name: np.where(here, row, np.nan) for name, row in zip(names, found, strict=True)},
            )
            for horizon, found in foretold.ahead.items()
        )
        until = (
            Table(
                with_label(labels, "limit", limit),
                {"forecast_seconds_to_limit": np.where(here, np.round(seconds), np.nan)},
            )
            for limit, seconds in foretold.until.items()
        )
        return (*ahead, *until)

    def _resting(self, time: int, told: Mapping[str, Floats]) -> Sequence[Table]:
        """Which series that are expected have no score because a calendar says so."""
        hidden = self.series.exclusions.at(time).hidden
        if hidden is None:
            return ()
        paused = np.where(hidden & np.isfinite(told["anomaly_input_lag_seconds"]), 1.0, np.nan)
        return (Table(self.series.roster.rendered, {"anomaly_paused": paused}),)

    def _tell_input(self, values: Floats, lag: Floats) -> None:
        """How many of the series that are expected are here, and how many of them stand still."""
        expected, here = np.isfinite(lag), np.isfinite(values)
        if expected.any():
            self.reader.tell("anomaly_input_available_ratio", float(here.sum() / expected.sum()))
        self.reader.tell("anomaly_input_stuck_series", int((self.series.quality.stuck & here).sum()))
        for kind, count in self.series.quality.kinds(here).items():
            self.reader.tell("anomaly_input_kind_series", count, kind=kind)

    def _tell_refused(self) -> None:
        """Count the samples that could not be true."""
        for reason, amount in self.series.refused.items():
            self.reader.count("input_invalid_samples_total", amount, reason=reason)
        self.series.refused.clear()

    def _paused(self, time: int, values: Floats) -> int:
        """How many series are there and have no score because a calendar says so."""
        hidden = self.series.exclusions.at(time).hidden
        return 0 if hidden is None else int((hidden & np.isfinite(values)).sum())

    def _tell_models(self, judged: Mask) -> Sequence[Table]:
        """Count the `judged` series by model; which it is and why, where the query leaves that open."""
        names, chosen = self.series.choices()
        for name, count in zip(names, np.bincount(chosen[judged], minlength=len(names)), strict=True):
            self.reader.tell("anomaly_model_series", int(count), model=name)
        model = self.series.model
        if not isinstance(model, Choosing):
            return ()
        rows = np.flatnonzero(judged)
        families = {
            "anomaly_chosen_model_info": np.ones(len(rows)),
            "anomaly_chosen_model_width_ratio": np.round(model.reasons()[chosen[rows], rows], 3),
        }
        labels = with_choice(self.series.roster.rendered, "model", names, chosen, judged)
        return (Table(labels, families),)

    def _tell_what_is_known(self) -> None:
        """How much the models know, and whether they keep what was promised."""
        record = self.series.record
        self.reader.tell("anomaly_model_trained_timestamp_seconds", self.begun)
        self.reader.tell("anomaly_model_samples", float(record.state["points"].sum(dtype=np.float64)))
        ratios = {
            "false_alarm": record.false_alarm_ratio(),
            "contamination": record.contamination_ratio(),
            "validation": record.validation_ratio(),
        }
        for name, ratio in ratios.items():
            if not math.isnan(ratio):
                self.reader.tell(f"anomaly_model_{name}_ratio", ratio)
        for reason, share in record.excluded_ratio().items():
            self.reader.tell("anomaly_model_excluded_ratio", share, reason=reason)

    def _survey(self, time: int, values: Floats, judged: Mask) -> None:
        """What takes longer to find out, once an hour; `judged` (S,): who has a score."""
        number = survey.turn(self.query.name, time)
        if number == self._surveyed:
            return
        new_day, self._surveyed = number // 24 != self._surveyed // 24, number
        for season, share in survey.season_ratio(self.series, np.isfinite(values)).items():
            self.reader.tell("anomaly_model_season_ratio", share, season=season)
        for fault, share in survey.detection_ratio(self.series, time, values, judged).items():
            self.reader.tell("anomaly_model_synthetic_detection_ratio", share, fault=fault)
        if new_day:
            for name, figure in survey.past_figures(self.series, np.isfinite(values)).items():
                self.reader.tell(f"anomaly_model_{name}", figure)

    def _count(self, scored: int, learning: int, missing: int, paused: int = 0) -> None:
        self.counts = {"scored": scored, "learning": learning, "missing": missing, "paused": paused}
        for state, count in self.counts.items():
            self.reader.tell("query_series", count, state=state)

    def _progress(self, share: float) -> None:
        if int(self.progress * 4) < int(share * 4):
            _log.info("history learnt", query=self.query.name, share=f"{share:.0%}", series=len(self.series))
        self.progress = share
        self.reader.tell("query_bootstrap_ratio", share)
