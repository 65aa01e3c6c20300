"""What a scrape of 10,000 series x 6 families costs beside a program that writes ready strings.

Run with `python -m bench.scrape`. Each server is a process of its own; one client reads them in turn.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import httpx
import numpy as np
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench.tables import ms, print_table, seconds
from exporter.demo.servers import free_port
from exporter.metrics.exposition import QueryScores, Snapshot
from exporter.metrics.labels import exposed_labels, render_labels
from exporter.metrics.published import SCORES
from exporter.shown.portrait import Picture, Portrait
from exporter.shown.status import Links, Matches, Status
from exporter.web.app import create_app
from exporter.web.listen import listen
from exporter.web.server import serve

SERIES = 10_000
RUNS = 11


def main() -> None:
    """Print the table."""
    rows = []
    for name in PROGRAMS:
        with program(name) as url, httpx.Client(trust_env=False, timeout=60) as client:
            for encoding in ("identity", "gzip") if name == "tidemark" else ("identity",):
                headers = {"Accept-Encoding": encoding}
                took = seconds(lambda c=client, u=url, h=headers: c.get(u, headers=h).content, RUNS)  # type: ignore[misc]
                size = len(client.get(url, headers=headers).content)
                rows.append((name, encoding, f"{size / 1e6:.1f} MB", took))
    ready = next(took for name, _, _, took in rows if name == "ready strings")
    table = [(name, how, size, ms(took), f"{took / ready:.2f}") for name, how, size, took in rows]
    head = ("program", "encoding", "text", "scrape", "ratio to ready strings")
    print_table(f"A scrape of {SERIES:,} series x {len(SCORES)} families, median of {RUNS}", head, table)


def snapshot() -> Snapshot:
    """Scores as a cycle leaves them."""
    random = np.random.default_rng(0)
    labels = tuple(
        exposed_labels((("job", "api"), ("service", f"s{it % 100}"), ("path", f"/v1/{it}")), "requests")
        for it in range(SERIES)
    )
    families = {it.name: random.lognormal(size=SERIES).astype(np.float32) for it in SCORES}
    return Snapshot.of(0, [QueryScores("requests", 0, tuple(map(render_labels, labels)), labels, families)])


class Kept:
    """What the product's endpoints show of a snapshot."""

    def __init__(self) -> None:
        self.snapshot = snapshot()

    def metrics(self, gzipped: bool) -> bytes:
        """As in `tidemark run`, without the metrics about itself."""
        return self.snapshot.gzipped if gzipped else self.snapshot.text

    def ready(self) -> tuple[bool, str]:
        """Always."""
        return True, "ready"

    def status(self) -> Status:
        """Nothing to show."""
        return Status("", "", 0.0, [])

    def portrait(self, query: str, labels: Mapping[str, str]) -> None:
        """No series."""

    def matches(self, query: str, labels: Mapping[str, str]) -> Matches:
        """No series."""
        return Matches("", 0.0, Links(), query, labels, 0, (), {})

    def pictures(self, _: Portrait) -> Sequence[Picture]:
        """No past."""
        return ()


def tidemark() -> Starlette:
    """The product's own application."""
    return create_app(Kept(), reload=lambda: (True, ""), leave=lambda: None)


def ready_strings() -> Starlette:
    """A program that joins and writes ready lines, on the same HTTP stack."""
    lines = snapshot().text.splitlines(keepends=True)
    return _app(lambda: b"".join(lines))


def client_library() -> Starlette:
    """A custom collector and prometheus_client's own `generate_latest`."""
    kept = snapshot()

    class Scores:
        def collect(self) -> Iterable[GaugeMetricFamily]:
            (scores,) = kept.scores
            for family in SCORES:
                out = GaugeMetricFamily(family.name, family.help, labels=list(scores.series[0]))
                values = scores.families[family.name].tolist()
                for labels, value in zip(scores.series, values, strict=True):
                    out.add_metric(list(labels.values()), value)
                yield out

    registry = CollectorRegistry()
    registry.register(Scores())
    return _app(lambda: generate_latest(registry))


def _app(body: Callable[[], bytes]) -> Starlette:
    def metrics(_: Request) -> Response:
        return Response(body(), media_type="text/plain")

    return Starlette(routes=[Route("/metrics", metrics)])


PROGRAMS: dict[str, Callable[[], Starlette]] = {
    "ready strings": ready_strings,
    "tidemark": tidemark,
    "prometheus_client": client_library,
}


@contextmanager
def program(name: str) -> Iterator[str]:
    """The URL of a program in a process of its own."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "bench.scrape", name, str(port)])
    url = f"http://127.0.0.1:{port}/metrics"
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                httpx.get(url, trust_env=False, timeout=30)
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    if sys.argv[1:]:
        serve(PROGRAMS[sys.argv[1]](), listen([f"127.0.0.1:{sys.argv[2]}"]), threading.Event())
    else:
        main()
