"""One query's place in time: it brings its series forward, point by point, to the newest that can be read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import structlog

from exporter.config.query import Query
from exporter.drift.watch import Known
from exporter.forecast.forecaster import Foretold
from exporter.frame import Floats, Mask
from exporter.metrics.exposition import QueryScores, exposed_families
from exporter.models.contract import Scores
from exporter.query import rows
from exporter.query.facts import facts
from exporter.query.figures import Figures
from exporter.query.newcomers import Newcomers
from exporter.query.population import Population
from exporter.query.residuals import Present
from exporter.query.surroundings import SHORT, Reader, Surroundings

_log = structlog.get_logger("scorer")


Listener = Callable[[int, Floats, Scores], None]
"""Hears of every point: its Unix second, the values (S,) and what the model said of them."""


class Scorer:
    """The series of one query, and `time`: the newest point they have learnt (None: nothing yet)."""

    def __init__(self, query: Query, around: Surroundings) -> None:
        self.query = query
        self.reader = Reader(query, around)
        self.figures = Figures(self.reader)
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
        self.figures.models(self.series, np.zeros(len(self.series), bool))
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
        self.figures.refused(self.series)
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
        self.figures.refused(self.series)
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
        """Freeze what is said of the point at `time`, and tell what goes with it."""
        series, roster = self.series, self.series.roster
        told = series.quality.told(time + self.query.offset, roster.last_seen)
        here, judged = np.isfinite(values), np.isfinite(scores.score)
        foretold = series.foretold(time)
        self.scores = self._scores(time, values, scores, told, foretold)
        if residuals := series.residuals:
            strayed = residuals.state["residual"].copy()
            self.present = Present(self.query.name, time, roster.labels, scores.score, strayed)
        self.figures.models(series, judged)
        if foretold:
            self.figures.forecasts(foretold.error_ratio)
        scored, present, paused = int(judged.sum()), int(here.sum()), self._paused(time, here)
        self._count(scored, present - scored - paused, len(values) - present, paused)
        self.figures.knowledge(series, self.begun)
        self.figures.input(series, values, told["anomaly_input_lag_seconds"])
        self.figures.survey(series, time, values, judged)
        self._progress(1.0)

    def _scores(
        self,
        time: int,
        values: Floats,
        scores: Scores,
        told: Mapping[str, Floats],
        foretold: Foretold | None,
    ) -> QueryScores:
        """What is exposed of the point at `time`: its families, and rows of their own beside them."""
        series, roster = self.series, self.series.roster
        beside, judged = series.beside(time), np.isfinite(scores.score)
        families = exposed_families(self.query.outputs, values, scores, beside, told)
        tables = (
            *rows.chosen_models(series, judged),
            *rows.forecasts(roster.rendered, foretold, np.isfinite(values)),
            *rows.resting(series, time, told),
            *series.named.tables(judged),
        )
        known, names = facts(series, time, beside), series.choices()[0]
        return QueryScores(
            self.query.name, time, roster.rendered, roster.labels, families, tables, known, names
        )

    def _paused(self, time: int, here: Mask) -> int:
        """How many series are `here` (S,) and have no score because a calendar says so."""
        hidden = self.series.exclusions.at(time).hidden
        return 0 if hidden is None else int((hidden & here).sum())

    def _count(self, scored: int, learning: int, missing: int, paused: int = 0) -> None:
        self.counts = {"scored": scored, "learning": learning, "missing": missing, "paused": paused}
        self.figures.counts(self.counts)

    def _progress(self, share: float) -> None:
        if int(self.progress * 4) < int(share * 4):
            _log.info("history learnt", query=self.query.name, share=f"{share:.0%}", series=len(self.series))
        self.progress = share
        self.reader.tell("query_bootstrap_ratio", share)
