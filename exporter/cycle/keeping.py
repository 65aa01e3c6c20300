"""What scorers have learnt, kept over restarts: written now and then, and taken over where it still fits."""

from __future__ import annotations

from collections.abc import Iterable

import structlog

from exporter.cycle import persistence
from exporter.diary.diary import Diary
from exporter.durations import format_duration
from exporter.metrics.telemetry import Telemetry
from exporter.query.scorer import Scorer
from exporter.query.surroundings import Clock
from exporter.store import Damaged, Store

_log = structlog.get_logger("cycle")


class Keeping:
    """The store as a cycle uses it; whatever goes wrong with it is told, and nothing stops for it."""

    def __init__(self, store: Store, telemetry: Telemetry, clock: Clock) -> None:
        self._store, self._telemetry, self._clock = store, telemetry, clock
        self._saved_at = clock.monotonic()
        telemetry.set("state_ok", 1)

    def seconds(self) -> float:
        """How long ago it was saved, or begun."""
        return self._clock.monotonic() - self._saved_at

    def save(self, scorers: Iterable[Scorer], diary: Diary) -> None:
        """Write the state of `scorers`, which must have no turn under way, and what the diary heard."""
        self._saved_at = self._clock.monotonic()
        try:
            for scorer in scorers:
                if saved := persistence.saved(scorer):
                    self._store.save(scorer.query.name, saved)
            diary.save(self._store)
            self._telemetry.set("state_bytes", self._store.size())
        except OSError as error:
            _log.error("state cannot be saved", path=str(self._store.directory), error=error.strerror)
            self._telemetry.count("events_total", event="state_save", result="failure")
            self._telemetry.set("state_ok", 0)
            return
        self._telemetry.count("events_total", event="state_save", result="success")
        self._telemetry.set("state_ok", 1)
        self._telemetry.set("state_last_save_timestamp_seconds", self._clock.time())

    def restore(self, scorer: Scorer) -> None:
        """Load the cache of a query; a file that cannot be used is set aside, counted, and rebuilt."""
        name, now = scorer.query.name, self._clock.time()
        try:
            saved = self._store.load(name)
        except Damaged as error:
            self._telemetry.count("state_recoveries_total", reason=error.reason)
            self._telemetry.set("state_ok", 0)
            kept = self._store.set_aside(name, now)
            _log.error("state set aside, learning again", query=name, error=str(error), kept=kept)
            return
        if saved and persistence.restore(scorer, saved, now):
            age = format_duration(max(0, int(now - saved.time)))
            _log.info("state loaded", query=name, series=len(saved.keys), age=age)
        elif saved:
            _log.info("the saved state does not fit the query, learning again", query=name)
