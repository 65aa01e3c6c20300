"""What drift costs: a point in the hot loop, and an hour's work off it.

.venv/bin/python bench/drift_step.py [series]
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.tables import ms, print_table, seconds
from exporter.config.query import Drift
from exporter.drift.hours import Hours
from exporter.drift.watch import run

STEP, DAYS, MONDAY = 600, 30, 1_704_067_200


def main() -> None:
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    hours, generator = Hours(STEP, size), np.random.default_rng(0)
    allowed = np.ones(size, bool)
    for row in range(DAYS * 144 + 1):
        hours.add([MONDAY + row * STEP], generator.normal(100, 5, (1, size)), allowed)
    values, at = generator.normal(100, 5, size), MONDAY + DAYS * 86_400
    point = seconds(lambda: hours.add([at], values[None], allowed), 50)
    series = [{"query": "bench", "instance": str(it)} for it in range(size)]
    rebase, copy = seconds(hours.rebase, 3), seconds(hours.past, 3)
    started = time.perf_counter()
    known = run("bench", Drift(), series, hours.past(), None).known
    learnt = time.perf_counter() - started
    scored = seconds(lambda: run("bench", Drift(), series, hours.past(192), known), 3)
    state = sum(it.nbytes for it in hours.state.values()) / size
    reference = sum(it.nbytes for it in known.reference.arrays.values()) / size if known else 0
    rows = [
        ("a point, in the hot loop", f"{point * 1e6:,.0f} µs"),
        ("a look at the anchors, once per refresh, in the cycle", ms(rebase)),
        ("a copy of the past, once per refresh, in the cycle", ms(copy)),
        ("reference and scores, once per refresh, in the thread", ms(learnt)),
        ("scores, every other hour, in the thread", ms(scored)),
        ("state per series", f"{state:,.0f} bytes"),
        ("reference per series", f"{reference:,.0f} bytes"),
    ]
    print_table(f"Drift of {size:,} series", ("what", "cost"), rows)


if __name__ == "__main__":
    main()
