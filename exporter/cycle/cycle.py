"""One pass over the queries, and the loop of passes; it swaps one reference to a frozen snapshot."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping

import structlog

from exporter.calendars.windows import Agenda
from exporter.config import dependencies
from exporter.config.query import Query
from exporter.config.schema import Config
from exporter.cycle import persistence
from exporter.cycle.drifts import Drifts
from exporter.cycle.keeping import Keeping
from exporter.cycle.recent import Recent
from exporter.cycle.turns import Failure, Turns
from exporter.diary.diary import Diary, Times
from exporter.groups.assembly import Groups, grouped
from exporter.metrics.exposition import Snapshot
from exporter.metrics.telemetry import Telemetry
from exporter.query.scorer import Scorer
from exporter.query.sensitivity import Sensitivity
from exporter.query.surroundings import Clock, Source, Surroundings
from exporter.store import Store

_log = structlog.get_logger("cycle")


class Cycle:
    """All queries of a configuration, and the snapshot of their scores."""

    def __init__(
        self,
        config: Config,
        source: Source,
        telemetry: Telemetry,
        store: Store,
        stop: threading.Event,
        clock: Clock = time,
        times: Times | None = None,
    ) -> None:
        self.telemetry, self.stop, self.clock = telemetry, stop, clock
        self.snapshot = Snapshot.of(clock.time(), ())
        self.published = False
        self.ended_well = False
        self.last_pass: float | None = None
        self.last_seconds: float | None = None
        self.scorers: Mapping[str, Scorer] = {}
        self.groups = Groups(telemetry)
        self.diary = Diary(telemetry, clock)
        self.drifts = Drifts(telemetry)
        self.recent = Recent()
        self._turns = Turns(telemetry, clock, config.tsdb.concurrency)
        self._wake = threading.Event()
        self._next: tuple[Config, Source, Times] | None = None
        self._started = clock.monotonic()
        self._source = source
        self._keeping = Keeping(store, telemetry, clock)
        self.diary.load(store)
        self._apply(config, source, times or Times())

    @property
    def failures(self) -> Mapping[str, Failure]:
        """Why queries failed in their last turn."""
        return self._turns.failures

    def run(self) -> None:
        """Pass after pass until `stop` is set, then save; to be run in a thread of its own."""
        try:
            while not self.stop.is_set():
                due = self.clock.time() + self._pause()
                self._guarded_pass()
                self._wake.wait(min(max(0.0, due - self.clock.time()), self.config.scoring.interval))
                self._wake.clear()
            self._source.close()
            self.diary.end()
            self._turns.end()
            self.groups.end()
            self.drifts.end()
            self.save()
            self.ended_well = True
        finally:
            # Nobody computes any more, so nothing may be shown as if it were current
            self.snapshot = Snapshot.of(self.clock.time(), ())
            self.stop.set()

    def reload(self, config: Config, source: Source, times: Times | None = None) -> None:
        """Use `config` from the next pass on, which starts now; what was learnt is kept where it fits."""
        self._next = (config, source, times or Times())
        self._wake.set()

    def ready(self) -> tuple[bool, str]:
        """Whether a first turn is over, and one line about it."""
        if self.published:
            return True, "ready"
        shares = [f"{name} {scorer.progress:.0%}" for name, scorer in self.scorers.items()]
        return False, "the first cycle is under way, history read: " + ", ".join(shares)

    def end(self) -> None:
        """Stop after the points that are being stepped."""
        self.stop.set()
        self._wake.set()

    def pass_over(self, within: float | None = None) -> None:
        """Give every idle query its turn; publish as they finish, and wait for the rest at most `within`."""
        if self._next:
            self._apply(*self._next)
        started = self.clock.monotonic()
        self._publish()
        self.diary.pass_over()
        self._turns.start(self.scorers.values(), self.clock.time())
        while self._turns.running and not self.stop.is_set():
            if self._turns.collect(self.scorers):
                self._has_started()
            self._publish()
            if within is not None and self.clock.monotonic() - started >= within:
                break
        self._publish(last=True)
        self.last_pass, self.last_seconds = self.clock.time(), self.clock.monotonic() - started
        self.telemetry.observe("cycle_duration_seconds", self.last_seconds)
        self.telemetry.set("last_cycle_timestamp_seconds", self.last_pass)

    def _has_started(self) -> None:
        """A first turn is over; take note of how long that took."""
        if not self.published:
            self.telemetry.set("startup_duration_seconds", self.clock.monotonic() - self._started)
        self.published = True

    def settle(self) -> None:
        """Wait for what is asked of Alertmanager, for fits of groups and drift; publish what they give."""
        self.diary.settle()
        self.groups.settle()
        for _ in ("queries", "services"):  # the drift of services is that of their queries
            self.drifts.settle()
            self._publish(last=True)
        self.drifts.settle()
        self._publish(last=True)

    def save(self) -> None:
        """Write the state of every query that has no turn under way."""
        idle = (scorer for name, scorer in self.scorers.items() if not self._turns.is_busy(name))
        self._keeping.save(idle, self.diary)

    def _guarded_pass(self) -> None:
        """A pass and, when it is due, a save; whatever goes wrong outside of a query's turn is counted."""
        try:
            self.pass_over(within=self._pause())
            if self._keeping.seconds() >= self.config.state.save_interval:
                self.save()
        except Exception as error:
            self.telemetry.count("events_total", event="cycle", result="failure")
            _log.error("cycle failed", error=f"{type(error).__name__}: {error}")
            _log.debug("cycle failed", exc_info=True)

    def _pause(self) -> float:
        """Seconds to the moment when the next point of the default rhythm can be read."""
        scoring = self.config.scoring
        return scoring.interval - (self.clock.time() - scoring.offset) % scoring.interval

    def _publish(self, last: bool = False) -> None:
        """Swap the snapshot, unless it would hold the same scores; `last`: no turn is waited for any more."""
        now = self.clock.time()
        scorers = self.scorers.values()
        fresh = [scores for scorer in scorers if (scores := scorer.scores) and scorer.fresh(now)]
        joint = self.groups.advance(self.scorers, now, self._turns.is_busy, last=last)
        drifting = self.drifts.advance(now, self._turns.is_busy)
        shown = (*self.snapshot.scores, *self.snapshot.groups, *self.snapshot.drifts)
        if [id(it) for it in (*fresh, *joint, *drifting)] == [id(it) for it in shown]:
            return
        self.snapshot = Snapshot.of(now, fresh, joint, drifting)
        self.recent.take(fresh, self.scorers)
        self.telemetry.set("snapshot_bytes", len(self.snapshot.text))
        for scores in fresh:
            self.telemetry.set("last_score_timestamp_seconds", scores.time, query=scores.query)

    def _apply(self, config: Config, source: Source, times: Times) -> None:
        """Take over `config`: keep scorers that still fit, start the new, retire the rest."""
        self.config, self._next = config, None
        if source is not self._source:
            self._turns.close_after(self._source)
            self._source = source
        zone, interval = config.scoring.time_zone, config.scoring.interval
        agenda, windows = self.diary.windows.agenda, self.diary.windows
        self.diary.apply(config, times, source)
        around = Surroundings(
            source, self.telemetry, zone, interval, self.stop, grouped(config), windows, self.diary.recall
        )
        self.telemetry.set("cycle_interval_seconds", interval)
        self.telemetry.clear("anomaly_dependency_info")
        for service, called, distance in dependencies.pairs(config.dependencies):
            labels = {"service": service, "depends_on": called, "distance": str(distance)}
            self.telemetry.set("anomaly_dependency_info", 1, **labels)
        before = dict(self.scorers)
        self.scorers = {query.name: self._scorer(query, around, before, agenda) for query in config.queries}
        for name, scorer in before.items():
            if self.scorers.get(name) is not scorer:
                scorer.reader.retired = True
                self._turns.drop(name)
        for name in before.keys() - self.scorers.keys():
            self.telemetry.forget_query(name)
        self.groups.apply(config)
        self.drifts.apply(config, self.scorers)

    def _scorer(
        self, query: Query, around: Surroundings, before: Mapping[str, Scorer], agenda: Agenda
    ) -> Scorer:
        """The scorer of a query: that of `before`, under `agenda`, where it still fits, or a new one."""
        self.telemetry.set("query_interval_seconds", query.step, query=query.name)
        self.telemetry.replace_query(
            "anomaly_query_info", query.name, signal=query.signal or "", direction=query.direction
        )
        promised = Sensitivity(query).per_week()
        self.telemetry.replace_all("anomaly_sensitivity", query.name, promised, label="category")
        old = before.get(query.name)
        if old and _goes_on(old, query, around, agenda):
            old.adopt(query, around)
            return old
        scorer = Scorer(query, around)
        self.telemetry.replace_all("anomaly_model_series", query.name, {}, label="model")
        self.telemetry.replace_all("anomaly_model_excluded_ratio", query.name, {}, label="reason")
        self.telemetry.set("query_bootstrap_ratio", 0, query=query.name)
        self._keeping.restore(scorer)
        return scorer


def _goes_on(old: Scorer, query: Query, around: Surroundings, agenda: Agenda) -> bool:
    """Whether what `old` has learnt serves `query`, too; joint scores and drift need a past of their own."""
    since, until = (old.time or 0) - query.history, old.time or 0
    taught = agenda.taught(since, until), around.windows.agenda.taught(since, until)
    before = persistence.fingerprint(old.query, old.reader.around.zone, taught[0])
    if query.name in around.grouped and not old.series.residuals:
        return False
    if query.watches_drift and old.series.hours is None:
        return False
    return before == persistence.fingerprint(query, around.zone, taught[1])
