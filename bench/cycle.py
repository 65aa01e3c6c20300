"""What a cycle costs beside the bare HTTP read of the same answer, and where time and memory go.

Run with `python -m bench.cycle`; VictoriaMetrics and Prometheus are started on loopback.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import orjson
from isal import igzip

from bench.tables import ms, print_table
from exporter.config.query import Query
from exporter.demo import servers
from exporter.metrics.exposition import Snapshot
from exporter.metrics.telemetry import Telemetry
from exporter.query.scorer import Scorer
from exporter.query.surroundings import Surroundings
from exporter.tsdb import parse
from exporter.tsdb.client import Client
from exporter.tsdb.settings import Settings

STEP = 60
POINTS = 40
LEARNT = 20
RUNS = 7
EXPR = "bench_requests"


def main() -> None:
    """Print the tables."""
    end = int(time.time()) // STEP * STEP - 3_600
    rows = []
    with tempfile.TemporaryDirectory() as directory:
        for series, kinds in ((10_000, (victoria_metrics, prometheus)), (100_000, (victoria_metrics,))):
            for kind in kinds:
                with kind(Path(directory) / f"{kind.__name__}-{series}", series, end) as url:
                    rows.append(figures(kind.__name__, url, series, end))
    head = ("server", "series", "bare read", "cycle", "ratio", "parse", "step", "render", "of it gzip")
    print_table("A cycle over one query, median of 7", head, rows)
    print_table(
        "Resident memory after the cycle",
        ("series", "peak resident memory"),
        [(f"{it:,}", f"{memory(it) / 2**20:,.0f} MiB") for it in (0, 10_000, 100_000)],
    )


def figures(name: str, url: str, series: int, end: int) -> tuple[str, ...]:
    """A row: the whole turn beside the bare read, and its parts."""
    client = Client(Settings(url=url))
    scorer = ready_scorer(client, series, end)
    times = range(end - (POINTS - LEARNT - 1) * STEP, end + 1, STEP)
    with httpx.Client(headers={"Accept-Encoding": "identity"}, trust_env=False) as bare:
        pairs = [(bare_read(bare, url, at)[0], turn(scorer, at)) for at in times][1 : RUNS + 1]
        body = bare_read(bare, url, end)[1]
    read, cycle = (statistics.median(it) for it in zip(*pairs, strict=True))
    vector = parse.vector(body)
    values = scorer.series.spread(vector.keys, vector.values)
    snapshot = Snapshot.of(0, [scorer.scores] if scorer.scores else [])
    parts = (
        lambda: parse.vector(body),
        lambda: scorer.series.step(end + STEP, values, True),
        lambda: Snapshot.of(0, snapshot.scores),
        lambda: igzip.compress(snapshot.text, 1),
    )
    whole = (name, f"{series:,}", ms(read), ms(cycle), f"{cycle / read:.2f}")
    return (*whole, *(ms(median_of(part)) for part in parts))


def ready_scorer(client: Client, series: int, end: int) -> Scorer:
    """A scorer that has learnt the first points and scores from now on."""
    options = {"step": "1m", "offset": "0s", "history": f"{LEARNT}m", "warm_up": "10m", "max_series": series}
    query = Query.model_validate({"name": "bench", "expr": EXPR, **options})
    around = Surroundings(client, Telemetry(), "UTC", 60, threading.Event())
    scorer = Scorer(query, around)
    scorer.advance(end - (POINTS - LEARNT) * STEP)
    return scorer


def turn(scorer: Scorer, at: int) -> float:
    """Seconds of a live turn and the snapshot after it."""
    started = time.perf_counter()
    scorer.advance(at)
    assert scorer.scores
    Snapshot.of(at, [scorer.scores])
    return time.perf_counter() - started


def bare_read(bare: httpx.Client, url: str, at: int) -> tuple[float, bytes]:
    """Seconds of the same request without anything done to the answer, and the answer."""
    form = {"query": EXPR, "time": str(at), "nocache": "1", "latency_offset": "1ms"}
    started = time.perf_counter()
    body = bare.post(f"{url}/api/v1/query", data=form, timeout=60).read()
    return time.perf_counter() - started, body


def median_of(work: Callable[[], object]) -> float:
    """The median duration of 5 calls."""
    took = []
    for _ in range(5):
        started = time.perf_counter()
        work()
        took.append(time.perf_counter() - started)
    return statistics.median(took)


def memory(series: int) -> int:
    """Bytes of resident memory of a process that scores `series` series."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.cycle", str(series)], capture_output=True, check=True, text=True
    )
    return int(done.stdout)


def remember(series: int) -> None:
    """Hold a population of `series`, step it, render it, and print the resident memory in bytes."""
    from exporter.metrics.exposition import QueryScores, exposed_families
    from exporter.query.population import Population

    query = Query.model_validate({"name": "bench", "expr": EXPR, "max_series": max(series, 1)})
    keys = [orjson.dumps(labels(it)) for it in range(series)]
    population = Population(query, "UTC", keys)
    values = np.random.default_rng(0).lognormal(size=series)
    for it in range(30):
        scores = population.step(1_700_000_000 // STEP * STEP + it * STEP, values.copy(), True)
    roster = population.roster
    families = exposed_families(query.outputs, values, scores)
    kept = Snapshot.of(0, [QueryScores("bench", 0, roster.rendered, roster.labels, families)])
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert peak
    print(int(peak[1]) * 1024)
    assert kept


def labels(series: int) -> dict[str, str]:
    """The labels of one series, as many and as long as real ones."""
    place = {"job": "api", "instance": f"10.0.{series // 250 % 250}.{series % 250}:9090"}
    return {"__name__": EXPR, **place, "service": f"service-{series % 100}", "path": f"/v1/{series}"}


def lines(series: int, end: int) -> Iterator[bytes]:
    """Import lines of every series."""
    random = np.random.default_rng(1)
    stamps = [(end - it * STEP) * 1000 for it in range(POINTS + 1)][::-1]
    for it in range(series):
        values = np.round(random.lognormal(3, 0.3, len(stamps)), 3).tolist()
        yield orjson.dumps({"metric": labels(it), "values": values, "timestamps": stamps})


@contextmanager
def victoria_metrics(directory: Path, series: int, end: int) -> Iterator[str]:
    """A VictoriaMetrics that holds the series."""
    with servers.victoria_metrics(directory) as server:
        servers.import_json_lines(server.url, lines(series, end), batch=2_000)
        servers.make_searchable(server.url)
        yield server.url


@contextmanager
def prometheus(directory: Path, series: int, end: int) -> Iterator[str]:
    """A Prometheus that holds the series."""
    directory.mkdir(parents=True)
    text = directory / "history.om"
    with text.open("w") as file:
        file.write(f"# TYPE {EXPR} gauge\n")
        for line in lines(series, end):
            it = orjson.loads(line)
            names = ",".join(f'{k}="{v}"' for k, v in it["metric"].items() if k != "__name__")
            for value, stamp in zip(it["values"], it["timestamps"], strict=True):
                file.write(f"{EXPR}{{{names}}} {value} {stamp // 1000}\n")
        file.write("# EOF\n")
    servers.create_blocks(text, directory / "data")
    with servers.prometheus(directory) as server:
        yield server.url


if __name__ == "__main__":
    remember(int(sys.argv[1])) if sys.argv[1:] else main()
