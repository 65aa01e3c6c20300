"""The TSDB client: instant reads for the cycle, range reads for history, and a check of expressions."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing
from functools import partial
from typing import Self, TypeAlias, TypeVar

import httpx

from exporter.frame import Frame
from exporter.tsdb import parse
from exporter.tsdb.answer import names, success
from exporter.tsdb.breaker import Breaker
from exporter.tsdb.errors import Permanent, Retryable, TsdbError
from exporter.tsdb.numbers import Invalid, Times
from exporter.tsdb.parse import Matrix, Vector
from exporter.tsdb.ranges import Answer, Span, read_ahead, side_by_side
from exporter.tsdb.settings import Flavour, Settings
from exporter.tsdb.verdict import refusal
from exporter.tsdb.wire import Wire

READ_AHEAD = 2
FIRST_PAUSE, LONGEST_PAUSE, LONGEST_ASKED_PAUSE = 0.5, 10.0, 60.0
NO_ANSWER = "error"
"""The `code` of a request that got no whole answer."""
EXACT = {"nocache": "1", "latency_offset": "1ms"}
"""Keeps VictoriaMetrics from answering for the newest 30 s with the points before them (`latency_offset`)."""
EXACT_STEP = 60
UNSETTLED = 40.0
"""Those 30 s, and ten more for clocks that differ."""
PAST = 1.0

Slots: TypeAlias = Sequence[AbstractContextManager[object]]

T = TypeVar("T")


def _ignore(*_: object) -> None:
    return None


class Client:
    """Reads one TSDB; safe to share between threads, of which `settings.concurrency` may ask at once.

    `on_request(code, seconds)` hears of every request ("error" where no whole answer came), and
    `on_circuit(open)` of the circuit after every call. `wait(seconds)` pauses before a retry; True ends the
    retries. All errors are `TsdbError`; ValueError when made with settings that cannot work.
    """

    def __init__(
        self,
        settings: Settings,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
        wait: Callable[[float], bool] | None = None,
        on_request: Callable[[str, float], None] = _ignore,
        on_circuit: Callable[[bool], None] = _ignore,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.settings = settings
        self._wire = Wire(settings, transport, clock)
        self._clock, self._now, self._chance = clock, now, chance
        self._wait = wait or threading.Event().wait
        self._on_request, self._on_circuit = on_request, on_circuit
        self._breaker = Breaker(settings.circuit_failures, settings.circuit_pause, clock)
        self._slots = threading.BoundedSemaphore(settings.concurrency)
        # Long reads never take the last slots: the present goes on while a past is read
        self._range_slots = threading.BoundedSemaphore(max(1, settings.concurrency // 2))
        self._flavour: Flavour | None = None if settings.flavour == "auto" else settings.flavour

    def close(self) -> None:
        """Close idle connections."""
        self._wire.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def circuit_open(self) -> bool:
        """Whether the TSDB is left alone because it gave no answer several times in a row."""
        return self._breaker.open

    def flavour(self) -> Flavour:
        """What kind of TSDB it is, asked once: only VictoriaMetrics makes a vector of the number 1.

        Mimir, Thanos and Cortex count as Prometheus.
        """
        if self._flavour is None:
            data = self._ask("/api/v1/query", {"query": "1", "time": _seconds(PAST)}, success)
            self._flavour = "victoriametrics" if data.get("resultType") == "vector" else "prometheus"
        return self._flavour

    def check(self, expr: str) -> None:
        """Have the TSDB parse `expr` over a time without data; Permanent `rejected` with its words if not.

        Also refuses what gives no instant vector, such as `up[5m]`.
        """
        self._ask("/api/v1/query", self._instant_parameters(expr, PAST, None), parse.vector)

    def instant(self, expr: str, time: float, step: int | None = None) -> Vector:
        """The value of every series of `expr` at Unix second `time`.

        With `step` (seconds) VictoriaMetrics looks back as far as in a range of that step; without it
        a series that ended lives on for five minutes, not one step.
        """
        return self._ask("/api/v1/query", self._instant_parameters(expr, time, step), self._vector)

    def metrics(self, start: float, end: float) -> list[str]:
        """The names of all metrics that had samples in [start, end], which are Unix seconds."""
        parameters = {"start": _seconds(start), "end": _seconds(end)}
        return self._ask("/api/v1/label/__name__/values", parameters, names)

    def range(
        self,
        expr: str,
        start: float,
        end: float,
        step: int,
        series: int | None = None,
        on_invalid: Callable[[Invalid], None] = _ignore,
    ) -> Iterator[Frame]:
        """Frames of `expr` in the order of time, over the multiples of `step` seconds in [start, end].

        Frames follow each other without gap or overlap; a frame's rows are the series that answered for its
        times, so rows may differ from frame to frame. `series`, where it is known, sizes the requests.
        `on_invalid` hears how many samples of each frame were no number to score.
        """

        settled, newest = self._settled(Span.within(start, end, step))
        depth = min(READ_AHEAD, self.settings.concurrency)
        ahead = read_ahead(partial(self._fetched, expr), settled, self.settings.max_points, series, depth)
        with closing(ahead):
            for frame, invalid in ahead:
                on_invalid(invalid)
                yield frame
        if newest:
            vectors = [self.instant(expr, time, step) for time in newest.times().tolist()]
            for vector in vectors:
                on_invalid(vector.invalid)
            yield side_by_side([(it.keys, it.values) for it in vectors], newest.times())

    def _fetched(self, expr: str, span: Span) -> Callable[[], Answer]:
        """The answer for `span` is here; what reads it. An answer that broke off is asked for once more."""
        times, parameters = span.times(), self._range_parameters(expr, span)
        ask = partial(self._ask, "/api/v1/query_range", parameters, slots=(self._range_slots, self._slots))
        body = ask(bytes)

        def read() -> Answer:
            try:
                found = self._matrix(body, times)
            except Retryable:
                found = ask(lambda other: self._matrix(other, times))
            except TsdbError as error:
                raise self._told(error) from None
            return Frame(found.keys, times, found.values), found.invalid

        return read

    def _settled(self, span: Span) -> tuple[Span, Span]:
        """The times that a range request answers exactly, and the newest ones that it does not.

        VictoriaMetrics repeats an older point for those at steps below a minute, whatever it is asked.
        """
        if span.step >= EXACT_STEP or not self._is_victoria_metrics():
            return span.split(len(span))
        last = int(self._now() - UNSETTLED)
        return span.split(min(len(span), len(Span.within(span.start, last, span.step))))

    def _instant_parameters(self, expr: str, time: float, step: int | None) -> dict[str, str]:
        exact = EXACT | ({"step": str(step)} if step else {}) if self._is_victoria_metrics() else {}
        return {"query": expr, "time": _seconds(time), "timeout": _seconds(self.settings.timeout), **exact}

    def _range_parameters(self, expr: str, span: Span) -> dict[str, str]:
        exact = EXACT if self._is_victoria_metrics() else {}
        times = {name: str(getattr(span, name)) for name in ("start", "end", "step")}
        return {"query": expr, **times, "timeout": _seconds(self.settings.timeout), **exact}

    @property
    def known_flavour(self) -> Flavour | None:
        """What kind of TSDB it is, as far as that is known without asking."""
        return self._flavour

    def _is_victoria_metrics(self) -> bool:
        return self.flavour() == "victoriametrics"

    def _matrix(self, body: bytes, times: Times) -> Matrix:
        found = parse.matrix(body, times)
        self._require_few(found.keys)
        return found

    def _vector(self, body: bytes) -> Vector:
        found = parse.vector(body)
        self._require_few(found.keys)
        return found

    def _require_few(self, keys: Sequence[bytes]) -> None:
        most = self.settings.max_series
        if len(keys) > most:
            words = f"{len(keys):,} series, at most {most:,}: aggregate, for example with sum by (service)"
            raise Permanent("too_large", words)

    def _ask(
        self,
        path: str,
        parameters: Mapping[str, str],
        read: Callable[[bytes], T],
        slots: Slots | None = None,
    ) -> T:
        """One call: tries until an answer can be read, or another try makes no sense.

        A request holds one of each of the `slots` until its answer is here: others ask while it is parsed.
        """
        try:
            self._breaker.enter()
            answer = self._try(path, parameters, read, slots or (self._slots,))
        except TsdbError as error:
            if error.reason in ("timeout", "unreachable"):
                self._breaker.unanswered()
            elif error.reason != "circuit_open":
                self._breaker.answered()
            raise self._told(error) from None
        else:
            self._breaker.answered()
            return answer
        finally:
            self._on_circuit(self._breaker.open)

    def _told(self, error: TsdbError) -> TsdbError:
        """The same error, with the address that it is about."""
        return type(error)(error.reason, f"{self._wire.url}: {error}")

    def _try(self, path: str, parameters: Mapping[str, str], read: Callable[[bytes], T], slots: Slots) -> T:
        started = self._clock()
        for attempt in itertools.count():
            try:
                with ExitStack() as held:
                    for slot in slots:
                        held.enter_context(slot)
                    body = self._attempt(path, parameters)
                return read(body)
            except Retryable as error:
                pause = self._pause(attempt, error)
                late = self._clock() + pause - started > self.settings.retry_window
                if attempt >= self.settings.retries or late or self._wait(pause):
                    raise
        raise AssertionError("unreachable")

    def _attempt(self, path: str, parameters: Mapping[str, str]) -> bytes:
        started, code = self._clock(), NO_ANSWER
        try:
            reply = self._wire.ask(path, parameters)
            code = str(reply.status)
        finally:
            self._on_request(code, self._clock() - started)
        if reply.status != 200:
            raise refusal(reply.status, reply.headers, reply.body)
        return reply.body

    def _pause(self, attempt: int, error: Retryable) -> float:
        """Seconds to the next try: twice as long each time, spread so that clients do not return together."""
        if error.after is not None:
            return min(error.after, LONGEST_ASKED_PAUSE)
        return float(min(FIRST_PAUSE * 2**attempt, LONGEST_PAUSE) * (0.5 + self._chance() / 2))


def _seconds(time: float) -> str:
    return str(int(time)) if time == int(time) else repr(float(time))
