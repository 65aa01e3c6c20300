"""One pass over the queries, and the loop of passes; it swaps one reference to a frozen snapshot."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Protocol

import structlog

from exporter.durations import format_duration
from exporter.exposition import Snapshot
from exporter.frame import DuplicateSeries
from exporter.schema import Config, Query
from exporter.scorer import Scorer, Source, Stopped, Surroundings, fingerprint
from exporter.store import Damaged, Store
from exporter.telemetry import Telemetry
from exporter.tsdb.errors import TsdbError

HISTORY_READERS = 2
"""Bootstraps at once: each holds two chunks of history in memory, and one already keeps a core busy."""

_log = structlog.get_logger("cycle")


class Clock(Protocol):
    """Wall and monotonic time, in seconds."""

    def time(self) -> float: ...

    def monotonic(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Failure:
    """Why the last turn of a query failed: the reason as in the metric, and one line for a person."""

    reason: str
    message: str


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
    ) -> None:
        self.telemetry, self.store, self.stop, self.clock = telemetry, store, stop, clock
        self.snapshot = Snapshot.of(clock.time(), ())
        self.published = False
        self.last_pass: float | None = None
        self.last_seconds: float | None = None
        self.failures: Mapping[str, Failure] = {}
        self.scorers: Mapping[str, Scorer] = {}
        self._running: dict[str, Future[Failure | None]] = {}
        self._wake = threading.Event()
        self._next: tuple[Config, Source] | None = None
        self._saved_at = clock.monotonic()
        self._source = source
        self._pool = ThreadPoolExecutor(max_workers=config.tsdb.concurrency, thread_name_prefix="turn")
        telemetry.set("state_ok", 1)
        self._apply(config, source)

    def run(self) -> None:
        """Pass after pass until `stop` is set, then save; to be run in a thread of its own."""
        while not self.stop.is_set():
            try:
                self.pass_over(within=self.config.scoring.interval)
            except Exception as error:
                _log.error("cycle failed", error=f"{type(error).__name__}: {error}")
                _log.debug("cycle failed", exc_info=True)
                self.telemetry.count("events_total", event="cycle", result="failure")
            if self.clock.monotonic() - self._saved_at >= self.config.state.save_interval:
                self.save()
            self._wake.wait(self._pause())
            self._wake.clear()
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._source.close()
        self.save()

    def reload(self, config: Config, source: Source) -> None:
        """Use `config` from the next pass on, which starts now; what was learnt is kept where it fits."""
        self._next = (config, source)
        self._wake.set()

    def ready(self) -> tuple[bool, str]:
        """Whether a first snapshot was published, and one line about it."""
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
        now = self.clock.time()
        for name, scorer in self.scorers.items():
            if name not in self._running:
                self._running[name] = self._pool.submit(self._turn, scorer, now)
        self._gather(started, within)
        self._publish()
        self.last_pass, self.last_seconds = self.clock.time(), self.clock.monotonic() - started
        self.telemetry.observe("cycle_duration_seconds", self.last_seconds)
        self.telemetry.set("last_cycle_timestamp_seconds", self.last_pass)

    def save(self) -> None:
        """Write the state of every query that has no turn under way."""
        self._saved_at = self.clock.monotonic()
        try:
            for name, scorer in self.scorers.items():
                saved = scorer.saved() if name not in self._running else None
                if saved:
                    self.store.save(name, saved)
            self.telemetry.set("state_bytes", self.store.size())
        except OSError as error:
            _log.error("state cannot be saved", path=str(self.store.directory), error=error.strerror)
            self.telemetry.count("events_total", event="state_save", result="failure")
            self.telemetry.set("state_ok", 0)
            return
        self.telemetry.count("events_total", event="state_save", result="success")
        self.telemetry.set("state_ok", 1)
        self.telemetry.set("state_last_save_timestamp_seconds", self.clock.time())

    def _pause(self) -> float:
        """Seconds to the moment when the next point of the default rhythm can be read."""
        scoring = self.config.scoring
        return scoring.interval - (self.clock.time() - scoring.offset) % scoring.interval

    def _gather(self, started: float, within: float | None) -> None:
        """Collect finished turns and publish, at most once a second while others are under way."""
        while self._running and not self.stop.is_set():
            wait(self._running.values(), timeout=1.0)
            self._collect()
            if within is not None and self.clock.monotonic() - started >= within:
                break
        if self._running and not self.stop.is_set():
            _log.warning("queries still at work after the interval", queries=sorted(self._running))

    def _collect(self) -> None:
        done = [name for name, future in self._running.items() if future.done()]
        failures = dict(self.failures)
        for name in done:
            failure = self._running.pop(name).result()
            failures.pop(name, None)
            if failure:
                failures[name] = failure
        self.failures = failures
        if done:
            self._publish()
            self.published = True

    def _publish(self) -> None:
        """Swap the snapshot, unless it would hold the same scores."""
        now = self.clock.time()
        scorers = self.scorers.values()
        fresh = [scorer.scores for scorer in scorers if scorer.scores and scorer.fresh(now)]
        if [id(it) for it in fresh] != [id(it) for it in self.snapshot.scores]:
            self.snapshot = Snapshot.of(now, fresh)
            self.telemetry.set("snapshot_bytes", len(self.snapshot.text))

    def _turn(self, scorer: Scorer, now: float) -> Failure | None:
        """One query's turn; whatever goes wrong in it stays in it."""
        name, started = scorer.query.name, self.clock.monotonic()
        failure = self._attempt(scorer, now)
        if failure:
            scorer.scores = None
            self.telemetry.count("query_failures_total", query=name, reason=failure.reason)
            _log.error("query failed", query=name, reason=failure.reason, error=failure.message)
        elif scorer.scores:
            self.telemetry.set("last_score_timestamp_seconds", scorer.scores.time, query=name)
        self.telemetry.set("query_success", 0 if failure else 1, query=name)
        self.telemetry.set("query_duration_seconds", self.clock.monotonic() - started, query=name)
        return failure

    def _attempt(self, scorer: Scorer, now: float) -> Failure | None:
        try:
            scorer.advance(now)
        except TsdbError as error:
            return Failure(error.reason, str(error))
        except DuplicateSeries as error:
            return Failure("duplicate", str(error))
        except Stopped:
            return None
        except Exception as error:
            _log.debug("internal error", query=scorer.query.name, exc_info=True)
            return Failure("internal", f"{type(error).__name__}: {error} (--log.level=debug shows where)")
        return None

    def _apply(self, config: Config, source: Source) -> None:
        """Take over `config`: keep scorers that still fit, start the new, retire the rest."""
        self.config, self._next = config, None
        if source is not self._source:
            close_after(list(self._running.values()), self._source)
            self._source = source
        slots = threading.Semaphore(HISTORY_READERS)
        zone, interval = config.scoring.time_zone, config.scoring.interval
        around = Surroundings(source, self.telemetry, zone, interval, self.stop, slots)
        self.telemetry.set("cycle_interval_seconds", interval)
        before = dict(self.scorers)
        self.scorers = {query.name: self._scorer(query, around, before) for query in config.queries}
        self.failures = {name: it for name, it in self.failures.items() if name in self.scorers}
        for name, scorer in before.items():
            if self.scorers.get(name) is not scorer:
                scorer.retired = True
                self._running.pop(name, None)
        for name in before.keys() - self.scorers.keys():
            self.telemetry.forget_query(name)

    def _scorer(self, query: Query, around: Surroundings, before: Mapping[str, Scorer]) -> Scorer:
        self.telemetry.set("query_interval_seconds", query.step, query=query.name)
        old = before.get(query.name)
        if old and fingerprint(old.query, old.around.zone) == fingerprint(query, around.zone):
            old.adopt(query, around)
            return old
        scorer = Scorer(query, around)
        self.telemetry.set("query_bootstrap_ratio", 0, query=query.name)
        self._restore(scorer)
        return scorer

    def _restore(self, scorer: Scorer) -> None:
        """Load the cache of a query; a file that cannot be used is set aside, counted, and rebuilt."""
        name, now = scorer.query.name, self.clock.time()
        try:
            saved = self.store.load(name)
        except Damaged as error:
            self.telemetry.count("state_recoveries_total", reason=error.reason)
            self.telemetry.set("state_ok", 0)
            kept = self.store.set_aside(name, now)
            _log.error("state set aside, learning again", query=name, error=str(error), kept=kept)
            return
        if saved and scorer.restore(saved):
            age = format_duration(max(0, int(now - saved.time)))
            _log.info("state loaded", query=name, series=len(saved.keys), age=age)
        elif saved:
            _log.info("the query changed since it was saved, learning again", query=name)


def close_after(readers: Sequence[Future[Failure | None]], source: Source) -> None:
    """Close a source that a reload replaced, once the turns that still read from it are over."""

    def close() -> None:
        wait(readers)
        source.close()

    threading.Thread(target=close, name="close", daemon=True).start()
