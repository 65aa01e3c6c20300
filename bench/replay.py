"""A bootstrap from memory: what learning costs once history has been read.

Run with `python -m bench.replay`: 100,000 series x 4,032 points (14 days at 5 minutes), in frames of the size
that the client delivers, through the same `Population.replay` that a bootstrap uses. Processor time of this
one thread, and time on the wall, which is larger where the machine is shared.
"""

from __future__ import annotations

import time

import numpy as np

from bench.tables import print_table
from exporter.config.query import Query
from exporter.frame import Frame
from exporter.query.population import Population

SERIES, POINTS, STEP = 100_000, 4_032, 300
FRAME = 48
START = 1_704_067_200


def main() -> None:
    """Print the table."""
    query = Query.model_validate(
        {"name": "fleet", "expr": "fleet", "step": "5m", "history": "14d", "max_series": SERIES}
    )
    keys = [b'{"__name__":"fleet","instance":"%d"}' % i for i in range(SERIES)]
    series = Population(query, "UTC", keys)
    noise = np.random.default_rng(0).standard_t(4, (SERIES, FRAME))
    size = 10.0 ** (np.arange(SERIES) % 9 - 2)[:, None]
    wall = processor = 0.0
    for first in range(0, POINTS, FRAME):
        times = START + STEP * np.arange(first, first + FRAME)
        frame = Frame(keys, times, size * (10 + np.sin(2 * np.pi * times / 86_400) + 0.5 * noise))
        began, used = time.perf_counter(), time.thread_time()
        for _ in series.replay(frame, int(times[-1]), lambda: False):
            pass
        wall += time.perf_counter() - began
        processor += time.thread_time() - used
        noise = np.roll(noise, 1, axis=0)
    state = sum(array.nbytes for array in series.model.state.values()) / SERIES
    row = (
        f"{processor:.0f} s",
        f"{wall:.0f} s",
        f"{SERIES * POINTS / processor / 1e6:.1f} M",
        f"{state:,.0f} B",
    )
    head = ("processor time", "wall", "points per second", "state per series")
    print_table(f"Replay of {SERIES:,} series x {POINTS:,} points from memory", head, [row])


if __name__ == "__main__":
    main()
