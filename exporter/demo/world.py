"""A small world of services: three weeks of plausible history, live counters, and an incident on demand.

Each service answers requests at a rate that follows the day and the week; a share of them fails; each takes a
while. The counters are those that HTTP libraries export, so the demo's queries are the ones people write.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

DAY = 86_400
SAMPLE_STEP = 30
"""Seconds between two samples of the history, as a scrape would have left them."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Service:
    """One service in ordinary times: requests per second by day, share of errors, seconds per request."""

    name: str
    requests: float
    errors: float
    latency: float
    weekend: float = 0.6


@dataclass(frozen=True, slots=True)
class Incident:
    """What one service suffers from `start` to `end` (Unix seconds): factors on its ordinary behaviour.

    They are reached at once, or after `ramp` seconds in which they grow.
    """

    service: str
    start: float
    end: float
    requests: float = 1.0
    errors: float = 1.0
    latency: float = 1.0
    ramp: float = 0.0


SERVICES = (
    Service("auth", 60, 0.004, 0.040, weekend=0.7),
    Service("cart", 45, 0.003, 0.090, weekend=0.8),
    Service("catalogue", 160, 0.001, 0.060, weekend=0.9),
    Service("checkout", 22, 0.005, 0.240, weekend=0.5),
    Service("payments", 20, 0.004, 0.310, weekend=0.5),
    Service("search", 95, 0.002, 0.130, weekend=0.9),
)
NAMES = ("ok", "error", "seconds", "messages")
"""The counters of a service: answered requests, failed requests, seconds spent, messages taken."""

QUEUE = "queue_messages_total"
"""The metric of the last of them."""


@dataclass
class World:
    """All services from `now` - three weeks on; the same seed gives the same history.

    Metrics in `hushed` are not exposed any more.
    """

    now: float
    seed: int = 7
    incidents: list[Incident] = field(default_factory=list)
    hushed: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._random = np.random.default_rng(self.seed)
        self._lock = threading.Lock()
        self._totals = np.zeros((len(SERVICES), len(NAMES)))
        self._at = self.now
        outage = self.now - 6 * DAY
        self.incidents.append(
            Incident("catalogue", outage, outage + 2_400, requests=0.15, errors=30, latency=3)
        )

    def history(self, days: int = 21) -> tuple[NDArray[np.int64], Floats]:
        """Times (T,) in Unix seconds and counters (services, names, T) up to `now`; call it once, first."""
        times = np.arange(int(self.now) - days * DAY, int(self.now), SAMPLE_STEP)
        with self._lock:
            counters = np.cumsum(self._increments(times, SAMPLE_STEP), axis=-1) + self._totals[..., None]
            self._totals = counters[..., -1].copy()
            self._at = float(times[-1])
        return times, counters

    def scrape(self, now: float) -> bytes:
        """The counters at `now` as a scrape target shows them."""
        with self._lock:
            passed = max(0.0, now - self._at)
            if passed:
                self._totals += self._increments(np.array([int(now)]), passed)[..., 0]
                self._at = now
            totals = self._totals.copy()
        return "".join(_exposed(totals, self.hushed)).encode()

    def afflict(self, incident: Incident) -> None:
        """Let `incident` happen."""
        with self._lock:
            self.incidents.append(incident)

    def _increments(self, times: NDArray[np.int64], seconds: float) -> Floats:
        """What each counter grows by in the `seconds` before each time: (services, names, T)."""
        return np.stack([self._of(service, times, seconds) for service in SERVICES])

    def _of(self, service: Service, times: NDArray[np.int64], seconds: float) -> Floats:
        requests, errors, latency = self._suffered(service, times)
        noise = self._random.gamma(900, 1 / 900, (2, len(times)))
        load = service.requests * shape_of_week(times, service.weekend) * requests
        asked = self._random.poisson(load * seconds * noise[0])
        failed = self._random.binomial(asked, np.clip(service.errors * errors, 0, 1))
        busy = 1 + 0.35 * load / service.requests
        spent = asked * service.latency * busy * latency * noise[1]
        taken = self._random.poisson(0.4 * load * seconds * noise[0])
        return np.stack([asked - failed, failed, spent, taken])

    def _suffered(self, service: Service, times: NDArray[np.int64]) -> tuple[Floats, Floats, Floats]:
        factors = np.ones((3, len(times)))
        for it in self.incidents:
            if it.service == service.name:
                struck = times[(times >= it.start) & (times < it.end)]
                reached = np.clip((struck - it.start) / it.ramp, 0, 1) if it.ramp else np.ones(len(struck))
                full = np.array([[it.requests], [it.errors], [it.latency]])
                factors[:, (times >= it.start) & (times < it.end)] *= 1 + (full - 1) * reached
        return factors[0], factors[1], factors[2]


def shape_of_week(times: NDArray[np.int64], weekend: float) -> Floats:
    """Load relative to the middle of a working day in UTC: low at night and on the weekend."""
    day = 2 * np.pi * (times % DAY) / DAY
    shape = 0.62 - 0.33 * np.cos(day - 0.6) - 0.09 * np.cos(2 * day - 1.0)
    is_weekend = (times // DAY + 3) % 7 >= 5
    return np.asarray(shape * np.where(is_weekend, weekend, 1.0))


def series(service: Service) -> Iterator[tuple[str, str]]:
    """Metric name and labels of each counter, in the order of `NAMES`."""
    yield "http_requests_total", f'service="{service.name}",code="200"'
    yield "http_requests_total", f'service="{service.name}",code="500"'
    yield "http_request_duration_seconds_sum", f'service="{service.name}"'
    yield QUEUE, f'service="{service.name}"'


def _exposed(totals: Floats, hushed: set[str]) -> Iterator[str]:
    lines: dict[str, list[str]] = {}
    for service, values in zip(SERVICES, totals, strict=True):
        for (name, labels), value in zip(series(service), values.tolist(), strict=True):
            lines.setdefault(name, []).append(f"{name}{{{labels}}} {value!r}\n")
    for name, samples in lines.items():
        if name in hushed:
            continue
        yield f"# TYPE {name} counter\n"
        yield from samples
