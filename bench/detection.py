"""How well the product's own models detect, on the yardstick of ../shared/bench, beside its peers.

    .venv/bin/python bench/detection.py [--model seasonal] [--sets nab,mscloud,wsd,aiops] [--yardstick DIR]
    .venv/bin/python bench/detection.py --table

Writes bench/results/detection-<model>.json, and from all of them bench/results/detection.md; with --table
only that. One configuration, the defaults, for every series; labels are seen by the metrics only. Needs
numba, pandas and scikit-learn beside the product.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from exporter.models import MODELS  # noqa: E402
from exporter.models.contract import WEEK, Settings  # noqa: E402

SETS = ("nab", "mscloud", "wsd", "aiops")
BUDGETS = ("0.1", "1", "7")
LAW = (0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.4, 1.6, 2.0)


def score_together(
    model: str, step: float, times: list[np.ndarray], values: list[np.ndarray]
) -> list[np.ndarray]:
    """Scores of several series of one step, stepped side by side as one query's series are.

    Series are moved by whole weeks so that they start in the same one: local time, all that a model sees of
    the clock in UTC, stays what it is.
    """
    week = int(WEEK)
    moved = [t - (t[0] // week) * week for t in times]
    grid = np.unique(np.concatenate(moved))
    frame = np.full((len(grid), len(moved)), np.nan)
    rows = [np.searchsorted(grid, t) for t in moved]
    for column, (row, value) in enumerate(zip(rows, values, strict=True)):
        frame[row, column] = value
    scorer = MODELS[model](Settings(step=step), len(moved))
    allowed = np.ones(len(moved), bool)
    scores = np.empty_like(frame)
    for i, instant in enumerate(grid.tolist()):
        scores[i] = scorer.step(instant, frame[i], allowed, band=False).score
    return [scores[row, column] for column, row in enumerate(rows)]


def score_alone(model: str) -> Any:
    """The harness' detector interface for one series: f(t, x, warm, step) -> scores."""

    def detect(t: np.ndarray, x: np.ndarray, warm: int, step: float) -> np.ndarray:
        (score,) = score_together(model, step, [t], [x])
        score[:warm] = 0
        return score

    detect.__name__ = model
    return detect


def score_set(model: str, series: list[Any]) -> list[tuple[Any, np.ndarray, float]]:
    """(series, scores, seconds) of one set; series that share step and phase are stepped together."""
    together: dict[tuple[float, int], list[int]] = defaultdict(list)
    for i, s in enumerate(series):
        together[s.step, int(s.t[0] % s.step)].append(i)
    runs: dict[int, tuple[Any, np.ndarray, float]] = {}
    for (step, _), members in together.items():
        began = time.perf_counter()
        scores = score_together(model, step, [series[i].t for i in members], [series[i].x for i in members])
        share = (time.perf_counter() - began) / len(members)
        for i, score in zip(members, scores, strict=True):
            score[: series[i].warm] = 0
            runs[i] = (series[i], score, share)
    return [runs[i] for i in range(len(series))]


def one_threshold(sweeps: dict[str, Any], thresholds: np.ndarray) -> dict[str, Any]:
    """The one threshold for all sets with the best mean F1 at a mean of at most one false alarm a week."""
    best: dict[str, Any] = {"f1": 0.0}
    for threshold in thresholds:
        rows = {name: sweep.at(threshold) for name, sweep in sweeps.items()}
        alarms = float(np.mean([row["fa_week"] for row in rows.values()]))
        f1 = float(np.mean([row["f1"] for row in rows.values()]))
        if alarms <= 1 and f1 > best["f1"]:
            per = {
                name: [round(float(row["f1"]), 3), round(float(row["fa_week"]), 2)]
                for name, row in rows.items()
            }
            best = {"f1": f1, "fa": alarms, "threshold": float(threshold), "per": per}
    return best


def at_threshold(sweeps: dict[str, Any], threshold: float) -> dict[str, Any]:
    """False alarms per series-week and recall, per set, with one threshold."""
    rows = {name: sweep.at(threshold) for name, sweep in sweeps.items()}
    return {
        name: [round(float(row["fa_week"]), 3), round(float(row["recall"]), 3)] for name, row in rows.items()
    }


def pooled_thresholds(sweeps: dict[str, Any]) -> np.ndarray:
    pool = np.concatenate([part[0][part[6] :][::3] for sweep in sweeps.values() for part in sweep.prep])
    pool = pool[np.isfinite(pool)]
    return np.unique(np.quantile(pool, 1 - np.logspace(-5, -1, 45)))[::-1]


def measure(model: str, sets: tuple[str, ...]) -> dict[str, Any]:
    """All figures of one model: per set from the harness, and with one threshold for all."""
    import harness
    import metrics
    from data import load

    tables, sweeps = {}, {}
    for name in sets:
        series = load("dev", name)
        shortest = min(series, key=lambda s: len(s.x))
        causal, moved = harness.audit(score_alone(model), shortest)
        if not causal:
            raise SystemExit(f"{model} looks ahead on {shortest.name}: scores move by {moved:.3g}")
        runs = score_set(model, series)
        tables[name] = harness.table(runs, nab=name == "nab")
        sweeps[name] = metrics.Sweep([(score, s.t, s.events, s.warm) for s, score, _ in runs])
        print(harness.line(name, tables[name]), flush=True)
    return {
        "sets": tables,
        "one": one_threshold(sweeps, pooled_thresholds(sweeps)),
        "at1": one_threshold(sweeps, np.array([1.0])),
        "law": {f"{threshold:.1f}": at_threshold(sweeps, threshold) for threshold in LAW},
    }


def peers(yardstick: Path) -> dict[str, dict[str, Any]]:
    """The rows of the peers that the yardstick holds for every set."""
    single = json.loads((yardstick / "results" / "uni.json").read_text())
    shared = json.loads((yardstick / "results" / "one_threshold.json").read_text())
    names = [key.removeprefix("dev/") for key in shared if key.startswith("dev/")]
    return {
        name: {"sets": {s: single[f"dev/{s}/{name}"] for s in SETS}, "one": shared[f"dev/{name}"]}
        for name in names
        if all(single.get(f"dev/{s}/{name}") for s in SETS)
    }


def row(name: str, figures: dict[str, Any]) -> str:
    """One line of the table; figures over several sets are means, or one figure per set."""
    sets = figures["sets"].values()
    recall = " / ".join(f"{np.mean([t[f'fa{b}']['recall'] for t in sets]):.2f}" for b in BUDGETS)
    at1 = " ".join(f"{t['at1']['fa_week']:.2f}" for t in sets)
    found = " ".join(f"{t['at1']['recall']:.2f}" for t in sets)
    vus = np.mean([t["vus_pr"] for t in sets])
    delay = " ".join(f"{t['fa1']['delay_med_min']:.0f}" for t in sets)
    nab = figures["sets"]["nab"]["nab"]["standard"] if "nab" in figures["sets"] else float("nan")
    cost = np.mean([t["us_per_point"] for t in sets])
    one = f"{figures['one']['f1']:.2f} @ {figures['one'].get('fa', float('nan')):.2f}"
    return f"| {name} | {one} | {recall} | {at1} | {found} | {vus:.2f} | {delay} | {nab:.1f} | {cost:.1f} |"


HEAD = """| detector | mean F1, one threshold @ false alarms | recall at 0.1 / 1 / 7 | false alarms at 1.0 \
| recall at 1.0 | VUS-PR | delay (min) | NAB | µs per point |
|---|---|---|---|---|---|---|---|---|"""


def write_table(results: Path, yardstick: Path) -> None:
    """One table of every model that was measured, best first, and below them the peers."""
    ours = {it.stem.removeprefix("detection-"): it for it in results.glob("detection-*.json")}
    measured = {name: json.loads(path.read_text()) for name, path in ours.items()}
    lines, notes = [HEAD], []
    for bold, rows in (("**", measured), ("", peers(yardstick))):
        for name, figures in sorted(rows.items(), key=lambda item: -item[1]["one"]["f1"]):
            lines.append(row(f"{bold}{name}{bold}", figures))
    for name, figures in measured.items():
        per = figures["one"].get("per"), figures["at1"].get("per")
        notes.append(f"- {name}: `{figures['command']}`. One threshold: {per[0]}; at 1.0: {per[1]}.")
    about = "Bold: models of Tidemark. Figures of one column that are four: nab, mscloud, wsd, aiops."
    (results / "detection.md").write_text("\n".join([*lines, "", about, "", *sorted(notes)]) + "\n")


def main() -> None:
    arguments = argparse.ArgumentParser(description="measure the product's models on the yardstick")
    arguments.add_argument("--table", action="store_true", help="write the table of what was measured before")
    arguments.add_argument("--model", default="seasonal")
    arguments.add_argument("--sets", default=",".join(SETS))
    arguments.add_argument("--yardstick", type=Path, default=HERE.parent.parent / "shared" / "bench")
    given = arguments.parse_args()
    sys.path.insert(0, str(given.yardstick))
    target = HERE / "results"
    target.mkdir(exist_ok=True)
    if not given.table:
        record(given.model, given.sets, target)
    write_table(target, given.yardstick)


def record(model: str, sets: str, target: Path) -> None:
    """Measure one model, and keep its figures."""
    figures = measure(model, tuple(sets.split(",")))
    figures["command"] = f"bench/detection.py --model {model} --sets {sets}"
    (target / f"detection-{model}.json").write_text(json.dumps(figures, indent=1) + "\n")
    print(row(model, figures), figures["one"], figures["at1"], sep="\n")


if __name__ == "__main__":
    main()
