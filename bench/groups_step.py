"""What the joint scores of a cycle cost, and a refit beside them.

    .venv/bin/python bench/groups_step.py

Writes bench/results/groups_step.md. 1,000 services x 6 queries through the product's own `Group`: the vectors
are gathered from six queries' series, scored, shared out and named, as in each cycle. Medians of wall times.
"""

from __future__ import annotations

import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import get_args

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from exporter.config.schema import Group as Settings  # noqa: E402
from exporter.groups.joint import Method  # noqa: E402
from exporter.groups.scoring import Group  # noqa: E402
from exporter.metrics.exposition import Snapshot  # noqa: E402
from exporter.metrics.telemetry import Telemetry  # noqa: E402
from exporter.query.residuals import REMEMBERED, SLOT, Present, Residuals  # noqa: E402

SERVICES, RUNS = 1_000, 11
QUERIES = tuple(f"query_{i}" for i in range(6))
NOW = REMEMBERED * SLOT * 3


def past(rng: np.random.Generator) -> Residuals:
    """Two weeks of heavy-tailed residuals of one query."""
    it = Residuals(60, SERVICES)
    for slot in range(REMEMBERED):
        scores = 0.3 * rng.standard_t(5, SERVICES)
        it.step(NOW - (REMEMBERED - 1 - slot) * SLOT, np.abs(scores), scores)
    return it


def main() -> None:
    rng = np.random.default_rng(0)
    series = tuple({"query": "x", "service": f"service-{i}"} for i in range(SERVICES))
    pasts = [(series, past(rng)) for _ in QUERIES]
    lines = [
        "| method | refit, off the path (s) | joint scores of a cycle (ms) | with rendering (ms) |",
        "|---|---|---|---|",
    ]
    for method in get_args(Method):
        settings = Settings(name="service", by=("service",), queries=QUERIES, method=method)
        group = Group(settings, dict.fromkeys(QUERIES, 60.0), Telemetry())
        with ThreadPoolExecutor(1) as worker:
            began = time.perf_counter()
            group.refit(pasts, NOW, worker)
            group.settle()
            refit = time.perf_counter() - began
        plain, rendered = [], []
        for run in range(RUNS):
            presents = []
            for name, (_, residuals) in zip(QUERIES, pasts, strict=True):
                moved = rng.permutation(residuals.state["residual"])
                presents.append(Present(name, NOW + run, series, np.abs(moved), moved))
            began = time.perf_counter()
            group.update(presents)
            plain.append(1e3 * (time.perf_counter() - began))
            assert group.scores
            assert np.isfinite(group.scores.contribution).all()
            Snapshot.of(NOW, [], [group.scores])
            rendered.append(1e3 * (time.perf_counter() - began))
        costs = f"{statistics.median(plain):.1f} | {statistics.median(rendered):.1f}"
        lines.append(f"| {method} | {refit:.1f} | {costs} |")
        print(lines[-1], flush=True)
    (HERE / "results").mkdir(exist_ok=True)
    lines += ["", "1,000 services x 6 queries. Command: `.venv/bin/python bench/groups_step.py`."]
    (HERE / "results" / "groups_step.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
