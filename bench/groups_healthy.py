"""How often the joint score of a healthy service passes 1: the budget says once a week.

    .venv/bin/python bench/groups_healthy.py

Writes bench/results/groups_healthy.md. Simulated services without any incident: a daily wave and heavy-tailed
noise (Student's t, 4 degrees of freedom), a part of it common to the queries of a service; through the
product's own code as in bench/groups.py, fitted daily. Alarms less than 30 minutes (3 points) apart are one;
the first nine days are history.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from bench.groups import DAY, METHODS, SINGLE, replay  # noqa: E402
from exporter.models.contract import WEEK  # noqa: E402

START = 1_704_067_200
HISTORY = 9 * DAY
CASES = ((600, 35, 10, 3), (600, 35, 10, 6), (300, 28, 8, 6), (60, 16, 6, 6))
"""Step in seconds, days, services, queries."""


def services(times: np.ndarray, count: int, queries: int, rng: np.random.Generator) -> list[np.ndarray]:
    """`count` healthy services, each (times, queries)."""
    wave = 100 + 20 * np.sin(2 * np.pi * times / DAY)[:, None]
    return [
        wave + 2 * rng.standard_t(4, (len(times), queries)) + 1.5 * rng.standard_t(4, (len(times), 1))
        for _ in range(count)
    ]


def alarms(score: np.ndarray, step: int) -> int:
    """How often `score` passes 1."""
    firing = np.flatnonzero(np.nan_to_num(score) >= 1)
    apart = np.diff(firing) > max(3, round(1_800 / step))
    return int(apart.sum()) + 1 if len(firing) else 0


def main() -> None:
    rng = np.random.default_rng(1)
    lines = [
        "| step (s) | queries | service-weeks | " + " | ".join(METHODS) + f" | {SINGLE} |",
        "|---" * (4 + len(METHODS)) + "|",
    ]
    for step, days, count, queries in CASES:
        times = START + step * np.arange(days * DAY // step)
        values = services(times, count, queries, rng)
        scores, _ = replay(step, [times] * count, values, METHODS)
        weeks = count * (days * DAY - HISTORY) / WEEK
        rates = [
            sum(alarms(it[HISTORY // step :], step) for it in scores[name]) / weeks
            for name in (*METHODS, SINGLE)
        ]
        shown = " | ".join(f"{rate:.2f}" for rate in rates)
        lines.append(f"| {step} | {queries} | {weeks:.1f} | {shown} |")
        print(lines[-1], flush=True)
    lines += ["", "False alarms per service-week at score 1. Command: `bench/groups_healthy.py`."]
    (HERE / "results" / "groups_healthy.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
