"""The diary: which windows there are, from the configuration, from Alertmanager and from the TSDB's past."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import orjson
import structlog

from exporter.calendars import periods
from exporter.calendars.windows import REASONS, Agenda, Window, Windows
from exporter.config.schema import Config
from exporter.diary import incidents
from exporter.diary.alertmanager import Alertmanager, Heard
from exporter.matchers import Matcher
from exporter.metrics.telemetry import Telemetry
from exporter.query.surroundings import Clock, Source
from exporter.store import Damaged, Store
from exporter.tsdb.errors import TsdbError

FILE = "+alertmanager"
"""Where what was heard is kept: a name that no query can have."""

STEP = 60
"""Seconds between the points of past alerts."""

_log = structlog.get_logger("diary")


@dataclass(frozen=True, slots=True)
class Times:
    """What a configuration says of times, ready for use: its windows, and whom to ask for more."""

    agenda: Agenda = field(default_factory=Agenda)
    alertmanagers: tuple[Alertmanager, ...] = ()


class Diary:
    """Keeps `windows` up to date; asks in a thread of its own, and tells what holds now."""

    def __init__(self, telemetry: Telemetry, clock: Clock) -> None:
        self.windows = Windows()
        self._telemetry, self._clock = telemetry, clock
        self._heard: Heard = {}
        self._past: tuple[Window, ...] = ()
        self._known: tuple[float, float] | None = None
        self._times = Times()
        self._lock, self._reading = threading.Lock(), threading.Lock()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="alertmanager")
        self._poll: Future[None] | None = None
        self._first = threading.Event()

    def apply(self, config: Config, times: Times, source: Source) -> None:
        """Take over a configuration; what Alertmanager said stays, the past is asked for anew."""
        gone, self._times = self._times.alertmanagers, times
        self._config, self._source = config, source
        self._known, self._past = None, ()
        self._telemetry.clear("calendar_active", "anomaly_period_info", "alertmanager_up", "active_windows")
        self._publish()
        self._first.clear()
        for it in gone:
            self._pool.submit(it.close)

    def pass_over(self) -> None:
        """Tell what holds now, and ask for news where nobody is asking."""
        self._tell(self._clock.time())
        if self._times.alertmanagers and (self._poll is None or self._poll.done()):
            self._poll = self._pool.submit(self._round, self._times.alertmanagers)

    def settle(self) -> None:
        """Wait until what was asked is answered."""
        if self._poll:
            self._poll.result()

    def end(self) -> None:
        """Ask no more, and let nobody wait for an answer."""
        self._first.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def recall(self, since: float, until: float) -> None:
        """Find the incidents of a past before it is learnt from; after a failure all of it is."""
        settings = self._config.bad_times
        if self._times.alertmanagers:
            self._first.wait(2 * self._config.scoring.interval)
        if not settings:
            return
        with self._reading:
            for start, end in _missing(self._known, since, until):
                try:
                    self._read_past(start, end)
                except TsdbError as error:
                    self._telemetry.count("events_total", event="incidents_read", result="failure")
                    _log.error("past incidents not read, all of it is learnt", error=str(error))
                    return
                self._telemetry.count("events_total", event="incidents_read", result="success")

    def load(self, store: Store) -> None:
        """Take over what was heard before a restart; a file that cannot be used is set aside."""
        try:
            payload = store.read(FILE)
        except Damaged as error:
            self._telemetry.count("state_recoveries_total", reason=error.reason)
            _log.error("windows set aside", error=str(error), kept=store.set_aside(FILE, self._clock.time()))
            return
        self._heard = _unpacked(payload) if payload else {}

    def save(self, store: Store) -> None:
        """Write what was heard; OSError when the directory cannot be written."""
        if self._heard:
            store.write(FILE, _packed(self._heard))

    def _round(self, instances: Sequence[Alertmanager]) -> None:
        """A round in the thread; whatever goes wrong in it stays in it."""
        try:
            self._ask(instances)
        except Exception as error:
            self._telemetry.count("events_total", event="alertmanager_read", result="failure")
            _log.error("round to Alertmanager failed", error=f"{type(error).__name__}: {error}")
        finally:
            self._first.set()

    def _ask(self, instances: Sequence[Alertmanager]) -> None:
        """One round over the instances; each failure is told, and the others count."""
        now = self._clock.time()
        found = [self._asked(it) for it in instances]
        news = {name: window for it in found if it is not None for name, window in it.items()}
        whole = all(it is not None for it in found)
        oldest = now - max(query.history for query in self._config.queries)
        heard = {name: _ended(it, now) if whole else it for name, it in self._heard.items()} | news
        with self._lock:
            self._heard = {name: it for name, it in heard.items() if it.end > oldest}
        self._publish()

    def _asked(self, instance: Alertmanager) -> Heard | None:
        try:
            heard = instance.read(self._clock.time() + 2 * self._config.scoring.interval)
        except TsdbError as error:
            _log.error("Alertmanager not read", url=instance.url, reason=error.reason, error=str(error))
            heard = None
        self._telemetry.set("alertmanager_up", heard is not None, alertmanager=instance.url)
        return heard

    def _read_past(self, since: float, until: float) -> None:
        settings = self._config.bad_times
        assert settings
        frames = self._source.range(incidents.expression(settings), since, until, STEP, None, lambda _: None)
        found = [it for frame in frames for it in incidents.fired(frame, STEP, settings)]
        known = self._known or (since, until)
        with self._lock:
            self._past = (*self._past, *found)
            self._known = (min(known[0], since), max(known[1], until))
        self._publish()

    def _publish(self) -> None:
        """Swap the agenda where it has changed."""
        with self._lock:
            heard = tuple(dict.fromkeys((*self._heard.values(), *self._past)))
            agenda = replace(self._times.agenda, heard=heard)
            if agenda != self.windows.agenda:
                self.windows.agenda = agenda

    def _tell(self, now: float) -> None:
        agenda, config = self.windows.agenda, self._config
        for it in agenda.recurring:
            self._telemetry.set("calendar_active", it.active(now), calendar=it.name)
        if config.periods:
            period = periods.current(config.periods, now, config.scoring.time_zone)
            self._telemetry.replace("anomaly_period_info", period=period)
        holding = Counter(it.reason for it in (*agenda.configured, *agenda.heard) if it.holds(now))
        for reason in REASONS[1:]:
            self._telemetry.set("active_windows", holding[reason], reason=reason)


def _missing(known: tuple[float, float] | None, since: float, until: float) -> list[tuple[float, float]]:
    """The parts of [since, until] that were not read yet; the newest minutes are heard of otherwise."""
    if known is None:
        return [(since, until)]
    parts = [(since, min(until, known[0])), (max(since, known[1]), until)]
    return [(start, end) for start, end in parts if end - start > 10 * STEP]


def _ended(window: Window, now: float) -> Window:
    """A window that nobody tells of any more ends now, if it has not ended yet."""
    return replace(window, end=min(window.end, max(window.start, int(now))))


def _packed(heard: Heard) -> bytes:
    rows = [
        [name, it.start, it.end, it.reason, it.effect, [[m.name, m.operator, m.value] for m in it.matchers]]
        for name, it in heard.items()
    ]
    return orjson.dumps(rows)


def _unpacked(payload: bytes) -> Heard:
    return {
        name: Window(start, end, tuple(Matcher(*it) for it in matchers), reason, effect)
        for name, start, end, reason, effect, matchers in orjson.loads(payload)
    }
