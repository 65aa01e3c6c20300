"""One query's place in time: it brings its series forward, point by point, to the newest that can be read."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import structlog

from exporter.exposition import QueryScores, exposed_families
from exporter.frame import Floats, Frame
from exporter.models.contract import Scores
from exporter.population import Population
from exporter.promql import only
from exporter.schema import Query
from exporter.store import Saved
from exporter.telemetry import Telemetry
from exporter.tsdb.parse import Invalid, Vector

PROBE = 3_600
"""Seconds of history that a newcomer is asked for first: most newcomers were born a minute ago."""

_log = structlog.get_logger("scorer")


class Stopped(Exception):
    """The exporter is stopping: the turn ends where it stands, and what was learnt can be saved."""


class Source(Protocol):
    """What a scorer needs of the TSDB client."""

    def instant(self, expr: str, time: float, step: int) -> Vector: ...

    def range(
        self,
        expr: str,
        start: float,
        end: float,
        step: int,
        series: int | None,
        on_invalid: Callable[[Invalid], None],
    ) -> Iterator[Frame]: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all scorers share."""

    source: Source
    telemetry: Telemetry
    zone: str
    interval: float
    stop: threading.Event
    history_slots: threading.Semaphore


def fingerprint(query: Query, zone: str) -> str:
    """Changes exactly when what was learnt for a query no longer fits it."""
    parts = (query.expr, query.step, query.model, query.missing, zone)
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _alike(one: Mapping[str, np.ndarray], other: Mapping[str, np.ndarray]) -> bool:
    shapes = [{name: (array.shape, array.dtype) for name, array in it.items()} for it in (one, other)]
    return shapes[0] == shapes[1]


class Scorer:
    """The series of one query, and `time`: the newest point they have learnt (None: nothing yet)."""

    def __init__(self, query: Query, around: Surroundings) -> None:
        self.query = query
        self.around = around
        self.step = int(query.step)
        self.series = Population(query, around.zone)
        self.time: int | None = None
        self.scores: QueryScores | None = None
        self.counts: Mapping[str, int] = {}
        self.progress = 0.0
        self.dropped = 0
        self.retired = False
        self._adopted: tuple[Query, Surroundings] | None = None
        self._begun = 0

    def target(self, now: float) -> int:
        """The newest point that can be read at Unix second `now`."""
        return int((now - self.query.offset) // self.step) * self.step

    def fresh(self, now: float) -> bool:
        """Whether the scores still speak of the present: at most one cycle was missed since their point."""
        oldest = now - self.query.offset - self.step - 2 * self.around.interval
        return self.scores is not None and self.scores.time >= oldest

    def advance(self, now: float) -> None:
        """Read, score and learn every point up to `target(now)`; TsdbError or DuplicateSeries when it cannot.

        A failure leaves the series at the last point they learnt, so the next turn reads the gap.
        """
        if self._adopted:
            self.query, self.around = self._adopted
            self.series.retune(self.query, self.around.zone)
            self._adopted = None
        target = self.target(now)
        if self.time is not None and target < self.time - 2 * self.step:
            _log.warning("clock went back, rebuilding", query=self.query.name, seconds=self.time - target)
            self.time = None
        time = self._begin(target) if self.time is None else self.time
        if time < target - self.step:
            self._catch_up(time, target)
        elif time < target:
            self._live(target)

    def adopt(self, query: Query, around: Surroundings) -> None:
        """Go on, from the next turn, under changed settings that need no new learning."""
        self._adopted = (query, around)

    def saved(self) -> Saved | None:
        """What was learnt, ready to be stored; None where there is nothing yet."""
        if self.time is None:
            return None
        roster, state = self.series.roster, self.series.model.state
        print_ = fingerprint(self.query, self.around.zone)
        exposed = dict(self.scores.families) if self.scores else {}
        return Saved(print_, self.time, self._begun, roster.keys, roster.last_seen, state, exposed)

    def restore(self, saved: Saved) -> bool:
        """Go on from what was stored; False, and nothing changed, when it does not fit this query."""
        series = Population(self.query, self.around.zone, saved.keys)
        fresh = series.model.state
        if saved.fingerprint != fingerprint(self.query, self.around.zone) or not _alike(fresh, saved.state):
            return False
        for name, array in saved.state.items():
            fresh[name][...] = array
        series.roster.last_seen = saved.last_seen
        self.series, self.time, self._begun = series, saved.time, saved.begun
        if saved.exposed:
            self.progress = 1.0
            roster = series.roster
            self.scores = QueryScores(
                self.query.name, saved.time, roster.rendered, roster.labels, saved.exposed
            )
        return True

    def _begin(self, target: int) -> int:
        """Start from nothing, `history` before `target`, with the series that are alive now."""
        keys = self._instant(target).keys
        empty = Population(self.query, self.around.zone)
        admitted = self._admitted(empty, keys, target)
        self.series, self.scores = Population(self.query, self.around.zone, admitted), None
        self.progress = 0.0
        self._begun = target - int(self.query.history // self.step) * self.step
        self.time = self._begun if admitted else target
        if admitted:
            _log.info("learning from history", query=self.query.name, series=len(admitted), since=self.time)
        else:
            _log.warning("the expression returns no series", query=self.query.name, expr=self.query.expr)
        return self.time

    def _catch_up(self, time: int, target: int) -> None:
        """Read and step the points after `time`; scores stay absent until the newest one is reached."""
        self.scores = None
        with self.around.history_slots:
            for frame in self._range(self.query.expr, time + self.step, target, max(1, len(self.series))):
                for time, values, scores in self._replayed(self.series, frame, target):
                    self.time = time
                    if time == target:
                        self._publish(target, values, scores)
                self._progress((time - self._begun) / max(1, target - self._begun))
        alive = [
            key for key, last in zip(frame.keys, frame.values[:, -1].tolist(), strict=True) if last == last
        ]
        self._welcome(alive, target)

    def _live(self, target: int) -> None:
        """The cycle's hot path: one instant read, one step."""
        vector = self._instant(target)
        values = self.series.spread(vector.keys, vector.values)
        scores = self.series.step(target, values)
        self.time = target
        self._publish(target, values, scores)
        self._welcome(vector.keys, target)
        self.series.forget(target - self.query.history)

    def _welcome(self, keys: Sequence[bytes], target: int) -> None:
        """Bring newcomers to `target` by their own history; they are scored from the next turn on."""
        unknown = self.series.roster.unknown(keys)
        if not self.around.history_slots.acquire(blocking=False):
            return
        try:
            admitted = self._admitted(self.series, unknown, target)
            if admitted:
                self.series.join(self._past_of(admitted, target))
        finally:
            self.around.history_slots.release()

    def _past_of(self, keys: Sequence[bytes], target: int) -> Population:
        """`keys` alone, stepped through their history up to `target`: an hour first, all if it is longer."""
        expr = only(self.query.expr, keys)
        for span in (PROBE, int(self.query.history)):
            newcomers = Population(self.query, self.around.zone, keys)
            start = target - span // self.step * self.step
            older = False
            for frame in self._range(expr, start, target, len(keys)):
                for time, values, _ in self._replayed(newcomers, frame, target):
                    older = older or (time == start and bool(np.isfinite(values).any()))
            if not older:
                break
        return newcomers

    def _replayed(self, series: Population, frame: Frame, last: int) -> Iterator[tuple[int, Floats, Scores]]:
        for stepped in series.replay(frame, last):
            if self.around.stop.is_set() or self.retired:
                raise Stopped
            yield stepped

    def _range(self, expr: str, start: int, end: int, series: int) -> Iterator[Frame]:
        return self.around.source.range(expr, start, end, self.step, series, self._invalid)

    def _instant(self, time: int) -> Vector:
        vector = self.around.source.instant(self.query.expr, time, self.step)
        self._invalid(vector.invalid)
        return vector

    def _invalid(self, invalid: Invalid) -> None:
        for reason, count in invalid.items():
            if count:
                self.around.telemetry.count(
                    "input_invalid_samples_total", count, query=self.query.name, reason=reason
                )

    def _admitted(self, series: Population, keys: Sequence[bytes], time: int) -> Sequence[bytes]:
        unknown = series.roster.unknown(keys)
        admitted = series.admit(unknown, time)
        self.dropped = len(unknown) - len(admitted)
        self.around.telemetry.set("query_dropped_series", self.dropped, query=self.query.name, reason="limit")
        return admitted

    def _publish(self, time: int, values: Floats, scores: Scores) -> None:
        families = exposed_families(self.query.outputs, values, scores)
        roster = self.series.roster
        self.scores = QueryScores(self.query.name, time, roster.rendered, roster.labels, families)
        scored, present = int(np.isfinite(scores.score).sum()), int(np.isfinite(values).sum())
        self.counts = {"scored": scored, "learning": present - scored, "missing": len(values) - present}
        for state, count in self.counts.items():
            self.around.telemetry.set("query_series", count, query=self.query.name, state=state)
        self._progress(1.0)

    def _progress(self, share: float) -> None:
        if int(self.progress * 4) < int(share * 4):
            _log.info("history learnt", query=self.query.name, share=f"{share:.0%}", series=len(self.series))
        self.progress = share
        self.around.telemetry.set("query_bootstrap_ratio", share, query=self.query.name)
