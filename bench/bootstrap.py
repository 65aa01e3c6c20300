"""What a bootstrap costs beside the server's own time for the same range reads.

Run with `python -m bench.bootstrap`: 2,000 series, 14 days at 5 minutes, read and learnt to the last point.
"""

from __future__ import annotations

import tempfile
import threading
import time
from pathlib import Path

from bench import tsdb
from bench.tables import print_table
from exporter.config.query import Query
from exporter.metrics.telemetry import Telemetry
from exporter.query.scorer import Scorer
from exporter.query.surroundings import Surroundings
from exporter.tsdb.client import Client
from exporter.tsdb.settings import Settings

RUNS = 5


def main() -> None:
    """Print the table."""
    end = int(time.time()) // tsdb.BLOCK * tsdb.BLOCK - tsdb.BLOCK
    load = tsdb.Load(series=2_000, days=14, crowd=0, end=end)
    rows = []
    with tempfile.TemporaryDirectory(prefix="bench-bootstrap-") as directory:
        for name, start in (("VictoriaMetrics", tsdb.victoria_metrics), ("Prometheus", tsdb.prometheus)):
            with start(Path(directory) / name, load) as url:
                rows.append((name, *figures(url, load)))
    head = ("server", "bare reads", "bootstrap", "ratio", "points learnt per second")
    print_table(f"Bootstrap of 2,000 series x 14 days at 5 minutes, median of {RUNS}", head, rows)


def figures(url: str, load: tsdb.Load) -> tuple[str, ...]:
    """Seconds of the bare reads, of the whole bootstrap, and their ratio."""
    with tsdb.bare() as bare:
        bootstrap(url, load)  # the first reads of a server that has just started are slower than all others
        plain, whole = tsdb.in_turn(
            RUNS, lambda: tsdb.read_bare(bare, url, load), lambda: bootstrap(url, load)
        )
    points = load.series * len(load.times)
    return f"{plain:.2f} s", f"{whole:.2f} s", f"{whole / plain:.2f}", f"{points / whole / 1e6:.2f} M"


def bootstrap(url: str, load: tsdb.Load) -> None:
    """One query from nothing to its first scores."""
    options = {"step": "5m", "offset": "0s", "history": f"{load.days}d"}
    query = Query.model_validate({"name": "fleet", "expr": "fleet", **options})
    with Client(Settings(url)) as client:
        around = Surroundings(client, Telemetry(), "UTC", 60, threading.Event())
        scorer = Scorer(query, around)
        scorer.advance(load.end)
        assert scorer.counts["scored"] == load.series


if __name__ == "__main__":
    main()
