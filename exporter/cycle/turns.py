"""The turns of the queries, in two pools of threads, so that a long past never holds up the present."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

import structlog

from exporter.frame import DuplicateSeries
from exporter.metrics.telemetry import Telemetry
from exporter.query.population import Stopped
from exporter.query.scorer import Scorer
from exporter.query.surroundings import Clock, Source
from exporter.tsdb.errors import TsdbError

HISTORY_READERS = 2
"""Long pasts that are read at once: each holds chunks of history in memory, and one keeps a core busy."""

TICK = 1.0
"""Seconds after which what is finished is published while other turns go on."""

_log = structlog.get_logger("turns")


@dataclass(frozen=True, slots=True)
class Failure:
    """Why the last turn of a query failed: the reason as in the metric, and one line for a person."""

    reason: str
    message: str


class Turns:
    """What is under way: at most one turn per query, and at most one meeting with its newcomers."""

    def __init__(self, telemetry: Telemetry, clock: Clock, live_readers: int) -> None:
        self.telemetry, self.clock = telemetry, clock
        self.failures: Mapping[str, Failure] = {}
        self.running: dict[str, Future[Failure | None]] = {}
        self._meetings: dict[str, Future[None]] = {}
        self._live = ThreadPoolExecutor(live_readers, thread_name_prefix="live")
        self._past = ThreadPoolExecutor(HISTORY_READERS, thread_name_prefix="past")

    def start(self, scorers: Iterable[Scorer], now: float) -> None:
        """Begin a turn for every query that has none under way."""
        for scorer in scorers:
            name = scorer.query.name
            if name not in self.running:
                pool = self._past if scorer.is_behind(now) else self._live
                self.running[name] = pool.submit(self._turn, scorer, now)

    def collect(self, scorers: Mapping[str, Scorer]) -> bool:
        """Wait a tick for turns to end, take note of those that did, and say whether any did."""
        wait(self.running.values(), timeout=TICK)
        done = [name for name, future in self.running.items() if future.done()]
        failures = dict(self.failures)
        for name in done:
            failure = self.running.pop(name).result()
            failures.pop(name, None)
            if failure:
                failures[name] = failure
            elif name not in self._meetings and scorers[name].awaits_newcomers():
                self._meetings[name] = self._past.submit(self._meeting, scorers[name])
        self._meetings = {name: it for name, it in self._meetings.items() if not it.done()}
        self.failures = failures
        return bool(done)

    def is_busy(self, name: str) -> bool:
        """Whether the query has a turn under way."""
        return name in self.running

    def drop(self, name: str) -> None:
        """Forget a query that is no longer configured; what it still does is of no interest."""
        for it in (self.running, self._meetings):
            it.pop(name, None)
        self.failures = {it: failure for it, failure in self.failures.items() if it != name}

    def close_after(self, source: Source) -> None:
        """Close a source that a reload replaced, once the turns that still read from it are over."""
        readers: list[Future[Any]] = [*self.running.values(), *self._meetings.values()]

        def close() -> None:
            wait(readers)
            source.close()

        threading.Thread(target=close, name="close", daemon=True).start()

    def end(self) -> None:
        """Wait until every turn has stopped; what has not begun never will."""
        for pool in (self._live, self._past):
            pool.shutdown(wait=True, cancel_futures=True)
        self.running = {}

    def _turn(self, scorer: Scorer, now: float) -> Failure | None:
        """One query's turn; whatever goes wrong in it stays in it."""
        started = self.clock.monotonic()
        failure = self._attempt(scorer, now)
        if failure:
            scorer.lose()
            scorer.reader.count("query_failures_total", reason=failure.reason)
            _log.error("query failed", query=scorer.query.name, reason=failure.reason, error=failure.message)
        scorer.reader.tell("query_success", 0 if failure else 1)
        scorer.reader.tell("query_duration_seconds", self.clock.monotonic() - started)
        return failure

    def _attempt(self, scorer: Scorer, now: float) -> Failure | None:
        try:
            scorer.advance(now)
        except Stopped:
            return None
        except Exception as error:
            return None if scorer.reader.halted() else self._failure(scorer, error)
        return None

    def _meeting(self, scorer: Scorer) -> None:
        """Read the past of newcomers; when that fails they are new again, and the others are not touched."""
        try:
            scorer.meet()
        except Stopped:
            return
        except Exception as error:
            scorer.newcomers = None
            failure = self._failure(scorer, error)
            scorer.reader.count("query_failures_total", reason=failure.reason)
            _log.error("newcomers not read", query=scorer.query.name, error=failure.message)

    def _failure(self, scorer: Scorer, error: Exception) -> Failure:
        if isinstance(error, TsdbError):
            return Failure(error.reason, str(error))
        if isinstance(error, DuplicateSeries):
            return Failure("duplicate", str(error))
        _log.debug("internal error", query=scorer.query.name, exc_info=error)
        return Failure("internal", f"{type(error).__name__}: {error} (--log.level=debug shows where)")
