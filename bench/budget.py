"""Whether budgets are kept: false alarms at score 1 of the default model under several sensitivities.

    .venv/bin/python bench/budget.py [--sets nab,mscloud,wsd,aiops] [--yardstick DIR]

Writes bench/results/budget.md. Every series is stepped once, side by side with copies of itself that differ
in strictness only. Needs numba, pandas and scikit-learn beside the product.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from exporter import tail  # noqa: E402
from exporter.models.contract import Settings  # noqa: E402
from exporter.models.seasonal import Seasonal  # noqa: E402

SETS = ("nab", "mscloud", "wsd", "aiops")
DAY = 86_400.0
BUDGETS = {"1 per day": DAY, "3 per week": 7 * DAY / 3, "1 per week": 7 * DAY, "1 per month": 30 * DAY}


def scored(series: list[Any], step: float) -> list[np.ndarray]:
    """Scores (points, budgets) of series of one step, whole weeks apart so that they share a clock."""
    week = int(7 * DAY)
    times = [s.t - (s.t[0] // week) * week for s in series]
    grid = np.unique(np.concatenate(times))
    rows = [np.searchsorted(grid, t) for t in times]
    frame = np.full((len(grid), len(series)), np.nan)
    for column, (row, s) in enumerate(zip(rows, series, strict=True)):
        frame[row, column] = s.x
    frame = np.repeat(frame, len(BUDGETS), axis=1)
    strictness = np.tile([tail.strictness(budget) for budget in BUDGETS.values()], len(series))
    model, everyone = Seasonal(Settings(step=step), frame.shape[1]), np.ones(frame.shape[1], bool)
    scores = np.empty(frame.shape, np.float32)
    for i, at in enumerate(grid.tolist()):
        scores[i] = model.step(at, frame[i], everyone, band=False, strictness=strictness).score
    return [scores[row, k * len(BUDGETS) :][:, : len(BUDGETS)] for k, row in enumerate(rows)]


def measure(series: list[Any]) -> list[dict[str, Any]]:
    """For each budget what score 1 finds and how often it is wrong."""
    import metrics

    together: dict[tuple[float, int], list[Any]] = defaultdict(list)
    for s in series:
        together[s.step, int(s.t[0] % s.step)].append(s)
    found = [
        (s, score)
        for (step, _), those in together.items()
        for s, score in zip(those, scored(those, step), strict=True)
    ]
    for s, score in found:
        score[: s.warm] = 0
    return [
        metrics.Sweep([(score[:, k], s.t, s.events, s.warm) for s, score in found]).at(1.0)
        for k in range(len(BUDGETS))
    ]


def main() -> None:
    """Print and write the table."""
    arguments = argparse.ArgumentParser(description="measure whether budgets are kept")
    arguments.add_argument("--sets", default=",".join(SETS))
    arguments.add_argument("--yardstick", type=Path, default=HERE.parent.parent / "shared" / "bench")
    given = arguments.parse_args()
    sys.path.insert(0, str(given.yardstick))
    from data import load

    sets = given.sets.split(",")
    per_set = {name: measure(load("dev", name)) for name in sets}
    lines = [
        "| budget per series | edge | false alarms per series-week: "
        + ", ".join(sets)
        + " | mean | incidents found |",
        "|---|---|---|---|---|",
    ]
    for k, (words, budget) in enumerate(BUDGETS.items()):
        at = [per_set[name][k] for name in sets]
        alarms = [float(it["fa_week"]) for it in at]
        each, found = ", ".join(f"{it:.2f}" for it in alarms), np.mean([it["recall"] for it in at])
        edge = tail.strictness(budget)
        lines.append(f"| {words} | x {edge:.2f} | {each} | {np.mean(alarms):.2f} | {found:.2f} |")
    lines += ["", f"Command: `.venv/bin/python bench/budget.py --sets {given.sets}`."]
    (HERE / "results" / "budget.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
