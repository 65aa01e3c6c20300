"""A circuit breaker: leave a TSDB alone that does not answer, and ask again with one request at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable

from exporter.tsdb.errors import Retryable


class Breaker:
    """Opens after `failures` calls in a row without an answer; after `pause` seconds one call may probe.

    Safe to share between threads. `clock` gives monotonic seconds.
    """

    def __init__(self, failures: int, pause: float, clock: Callable[[], float]) -> None:
        self._limit, self._pause, self._clock = failures, pause, clock
        self._lock = threading.Lock()
        self._failed = 0
        self._probe_at = 0.0

    @property
    def open(self) -> bool:
        """Whether calls are being refused, but for a probe now and then."""
        return self._failed >= self._limit

    def enter(self) -> None:
        """Pass before a call; Retryable with reason `circuit_open` while the TSDB is left alone."""
        with self._lock:
            if not self.open:
                return
            now = self._clock()
            if now < self._probe_at:
                raise _open(self._probe_at - now, self._failed)
            self._probe_at = now + self._pause

    def answered(self) -> None:
        """A call got an answer of whatever kind: the TSDB is there."""
        with self._lock:
            self._failed = 0

    def unanswered(self) -> None:
        """A call got no answer."""
        with self._lock:
            self._failed += 1
            if self.open:
                self._probe_at = self._clock() + self._pause


def _open(seconds: float, failed: int) -> Retryable:
    message = f"not asked: the TSDB gave no answer {failed} times in a row; next try in {seconds:.0f} s"
    return Retryable("circuit_open", message)
