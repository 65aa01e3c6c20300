"""A week of a small shop with an incident at its end, scored by the real parts, behind the real server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from exporter.calendars.windows import Windows
from exporter.commands.run import Exporter
from exporter.commands.wiring import times
from exporter.config.file import LoadedConfig, parse
from exporter.config.query import Query
from exporter.cycle.cycle import Cycle
from exporter.metrics.telemetry import Telemetry
from exporter.promql import scores_of
from exporter.query.population import Population
from exporter.shown.past import FAMILIES, Past
from exporter.store import Store
from exporter.tsdb.client import Client
from exporter.tsdb.settings import Settings
from exporter.web.app import create_app
from tests.curves import DAY, Curve, noise
from tests.cycles import Clock
from tests.fake_tsdb import FakeTsdb
from tests.web.serving import serving

STEP = 300
NOW = 1_795_275_000 // STEP * STEP
BEGAN = NOW - 1_800
"""When payments became slow."""

RATE = "sum by (service) (rate(http_requests_total[5m]))"
SECONDS = "histogram_quantile(0.9, sum by (service, le) (rate(http_request_seconds_bucket[5m])))"
ERRORS = "sum by (service) (rate(http_errors_total[5m])) / sum by (service) (rate(http_requests_total[5m]))"
QUEUE = "avg by (instance) (queue_length)"
DISK = "min by (instance) (node_filesystem_free_bytes"
"""The last one lacks a bracket."""

CONFIG = f"""
tsdb: {{url: "http://tsdb:9090"}}
scoring: {{interval: 5m, step: 5m, offset: 0s, history: 9d}}
queries:
  - {{name: request_rate, expr: "{RATE}", domain: {{min: 0}}, model: quantile}}
  - name: request_seconds
    expr: "{SECONDS}"
    direction: up
    minimum_relative_deviation: 0.1
    domain: {{min: 0}}
  - name: error_ratio
    expr: "{ERRORS}"
    direction: up
    minimum_deviation: 0.01
    domain: {{min: 0, max: 1}}
  - {{name: queue_length, expr: "{QUEUE}"}}
  - {{name: disk_free_bytes, expr: "{DISK}"}}
groups:
  - name: service
    by: [service]
    method: mahalanobis
    queries: [request_rate, request_seconds, error_ratio]
categories:
  - {{name: money, match: {{service: "payments|checkout"}}, sensitivity: 2 per week}}
calendars:
  - {{name: evening, score_as: no_learn, weekly: [{{from: "15:00", to: "17:30"}}]}}
web:
  links: {{grafana: "http://grafana:3000"}}
"""


def wave(level: float, swing: float, rough: float, seed: int, incident: float = 0.0) -> Curve:
    """A day's wave, quieter on weekends, and `incident` added since it began."""

    def curve(times: np.ndarray) -> np.ndarray:
        weekend = np.where((times // DAY + 4) % 7 % 6 == 0, 0.75, 1.0)
        shape = 1 + swing * np.sin(2 * np.pi * (times / DAY - 0.35))
        added = incident * np.minimum(1, (times - BEGAN) / 600 + 0.4) * (times >= BEGAN)
        return np.maximum(0, level * weekend * shape * (1 + rough * noise(times, seed)) + level * added)

    return curve


def series() -> dict[str, list[tuple[dict[str, str], Curve]]]:
    """What the TSDB answers for each expression."""
    shop = {"auth": 40.0, "cart": 25.0, "catalogue": 120.0, "checkout": 12.0, "payments": 9.0, "search": 60.0}
    slow = {"payments": 2.4, "checkout": 0.8}
    failing = {"payments": 12.0}
    dull = {"checkout": -0.5}
    found: dict[str, list[tuple[dict[str, str], Curve]]] = {RATE: [], SECONDS: [], ERRORS: [], QUEUE: []}
    for seed, (name, level) in enumerate(shop.items()):
        labels = {"service": name}
        found[RATE].append((labels, wave(level, 0.5, 0.04, seed, dull.get(name, 0.0))))
        found[SECONDS].append((labels, wave(0.3, 0.1, 0.05, seed + 10, slow.get(name, 0.0))))
        found[ERRORS].append((labels, wave(0.004, 0.1, 0.2, seed + 20, failing.get(name, 0.0))))
    found[QUEUE].append(({"instance": "10.0.3.17:9100"}, wave(35.0, 0.3, 0.08, 40, 1.5)))
    return found


def scraped(query: Query, curve: Curve, windows: Windows) -> list[tuple[dict[str, str], Curve]]:
    """What a TSDB would have scraped of payments: the band of each point, as the model gave it."""
    population = Population(query, "UTC", [b'{"service":"payments"}'], windows=windows)
    times = np.arange(NOW - 9 * DAY, NOW + 1, STEP)
    values = curve(times)
    rows = []
    for time, value in zip(times.tolist(), values.tolist(), strict=True):
        it = population.step(time, np.array([value]), True)
        rows.append([value, it.lower[0], it.upper[0], it.expected[0]])
    known = np.array(rows)

    def remembered(column: int) -> Curve:
        return lambda asked: known[np.clip((asked - times[0]) // STEP, 0, len(times) - 1).astype(int), column]

    return [({"__name__": name}, remembered(column)) for column, name in enumerate(FAMILIES)]


@contextmanager
def shop(directory: Path) -> Iterator[str]:
    """The address of a Tidemark that has watched the shop through the incident."""
    settings = parse(CONFIG)
    loaded = LoadedConfig(settings, "9f2c41d07be3" * 5, directory / "tidemark.yml")
    clock, telemetry, stop = Clock(NOW - 3 * 3_600), Telemetry(), threading.Event()
    tsdb = FakeTsdb(series())
    slow = next(it for it in settings.queries if it.name == "request_seconds")
    payments = next(curve for labels, curve in tsdb.series[SECONDS] if labels["service"] == "payments")
    asked = scores_of("request_seconds", {"service": "payments"}, (), FAMILIES)
    tsdb.series[asked] = scraped(slow, payments, Windows(times(loaded).agenda))
    tsdb.before = lambda it: tsdb.refused(DISK) if b"free_bytes" in it.content + it.url.query else None
    source, reader = (
        Client(Settings(url="http://tsdb:9090", retries=0), transport=tsdb.transport()) for _ in range(2)
    )
    cycle = Cycle(settings, source, telemetry, Store(directory / "state"), stop, clock, times(loaded))
    exporter = Exporter(loaded.path, loaded, telemetry, cycle, source, Past(reader), loaded_at=NOW - 2 * DAY)
    for now in range(NOW - 3 * 3_600, NOW + 1, STEP):
        clock.now = now
        cycle.pass_over()
        cycle.settle()
    clock.now += 20
    app = create_app(exporter, reload=exporter.reload, leave=cycle.end)
    with serving(app) as [(host, port)]:
        yield f"http://{host}:{port}"
    cycle.end()
