"""How well the joint score of a service detects, on the multivariate sets of ../shared/bench.

    .venv/bin/python bench/groups.py [--sets jumpstarter,smd8] [--yardstick DIR]

Writes bench/results/groups.json and bench/results/groups.md, beside the yardstick's peers. The product's own
code: the default model for each metric, stepped side by side, their residuals in the ring, a fit per day.
One configuration, the defaults; labels are seen by the metrics only. Needs numba, pandas and scikit-learn.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from exporter.groups.joint import Joint, Method, TooShort, fit  # noqa: E402
from exporter.groups.law import edge  # noqa: E402
from exporter.groups.members import Table  # noqa: E402
from exporter.models import MODELS  # noqa: E402
from exporter.models.contract import WEEK, Settings  # noqa: E402
from exporter.query.residuals import REMEMBERED, SLOT, Residuals  # noqa: E402

DAY = 86_400
METHODS: tuple[Method, ...] = ("isolation_forest", "mahalanobis")
SETS = ("jumpstarter", "smd8")
SINGLE = "largest single score"
LAW = (0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.4)


class Replay:
    """K services of P metrics, stepped through time side by side as one group of P queries is."""

    def __init__(self, step: float, services: int, metrics: int, methods: tuple[Method, ...]) -> None:
        self.step, self.shape = step, (services, metrics)
        series = services * metrics
        self.model = MODELS["seasonal"](Settings(step=step), series)
        self.residuals = Residuals(step, series)
        self.everyone = np.ones(series, bool)
        self.keys = tuple((str(i),) for i in range(services))
        self.joint: dict[Method, Joint | None] = dict.fromkeys(methods)
        self.seconds = dict.fromkeys((SINGLE, *methods), 0.0)

    def run(self, times: list[int], values: np.ndarray) -> dict[str, np.ndarray]:
        """Scores (T, K) by method, and the largest single score, of `values` (T, K·P); NaN while learning."""
        out = {name: np.full((len(times), self.shape[0]), np.nan) for name in (SINGLE, *self.joint)}
        per = int(DAY // self.step)
        for start in range(0, len(times), per):
            part = slice(start, start + per)
            for method in self.joint:
                self._fit(method, times[start])
            single, residual = self._day(times[part], values[part])
            out[SINGLE][part] = single
            for method in self.joint:
                self._score(method, residual, out[method][part])
        return out

    def _day(self, times: list[int], values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        began = time.perf_counter()
        single = np.full((len(times), self.shape[0]), np.nan)
        residual = np.empty((len(times), *self.shape), np.float32)
        for i, at in enumerate(times):
            scores = self.model.step(at, values[i], self.everyone, band=False)
            self.residuals.step(at, scores.score, values[i] - scores.expected)
            single[i] = np.fmax.reduce(scores.score.reshape(self.shape), axis=1)
            residual[i] = self.residuals.state["residual"].reshape(self.shape)
        self.seconds[SINGLE] += time.perf_counter() - began
        return single, residual

    def _fit(self, method: Method, now: int) -> None:
        began = time.perf_counter()
        slots = np.arange(now // SLOT - REMEMBERED, now // SLOT)
        past = self.residuals.at(slots).reshape(len(slots), *self.shape)
        with contextlib.suppress(TooShort):
            self.joint[method] = fit(Table(self.keys, past), method, now)
        self.seconds[method] += time.perf_counter() - began

    def _score(self, method: Method, residual: np.ndarray, out: np.ndarray) -> None:
        joint = self.joint[method]
        if not joint:
            return
        began = time.perf_counter()
        vectors = joint.members(residual).reshape(-1, self.shape[1]).astype(np.float32)
        several = np.isfinite(vectors).sum(axis=1) >= 2
        keys = [self.keys[i % self.shape[0]] for i in np.flatnonzero(several).tolist()]
        flat = np.full(len(vectors), np.nan)
        flat[several] = joint.scores(vectors[several], keys, edge(WEEK, self.step))
        out[:] = flat.reshape(out.shape)
        self.seconds[method] += time.perf_counter() - began


def replay(
    step: float, times: list[np.ndarray], values: list[np.ndarray], methods: tuple[Method, ...]
) -> tuple[dict[str, list[np.ndarray]], dict[str, float]]:
    """Scores of several services of one step, by method, and the seconds that each method took.

    Services are moved by whole weeks so that they start in the same one.
    """
    week = int(WEEK)
    moved = [t - (t[0] // week) * week for t in times]
    grid = np.unique(np.concatenate(moved))
    rows = [np.searchsorted(grid, t) for t in moved]
    services, metrics = len(values), values[0].shape[1]
    frame = np.full((len(grid), services, metrics), np.nan)
    for column, (row, value) in enumerate(zip(rows, values, strict=True)):
        frame[row, column] = value
    it = Replay(step, services, metrics, methods)
    scores = it.run(grid.tolist(), frame.reshape(len(grid), -1))
    split = {name: [all_[row, i] for i, row in enumerate(rows)] for name, all_ in scores.items()}
    return split, it.seconds


def score_alone(method: Method) -> Callable[..., np.ndarray]:
    """The harness' detector interface for one service: f(t, x, warm, step) -> scores."""

    def detect(t: np.ndarray, x: np.ndarray, warm: int, step: float) -> np.ndarray:
        scores, _ = replay(step, [t], [x], (method,))
        scores[method][0][:warm] = 0
        return scores[method][0]

    detect.__name__ = method
    return detect


def figures(sweep: Any, table: dict[str, Any]) -> dict[str, Any]:
    """The harness' table, the best F1 within the budget, and what other thresholds than 1 give."""
    within = [row for row in sweep.curve() if row["fa_week"] <= 1]
    best = max(within, key=lambda row: row["f1"], default={"f1": 0.0, "fa_week": 0.0, "thr": np.inf})
    kept = {key: float(best[key]) for key in ("f1", "fa_week", "thr")}
    law = {}
    for threshold in LAW:
        at = sweep.at(threshold)
        law[f"{threshold:.1f}"] = [round(float(at["fa_week"]), 3), round(float(at["recall"]), 3)]
    return table | {"best_within_1": kept, "law": law}


def measure(name: str) -> dict[str, Any]:
    """Every method's figures on one set."""
    import harness
    import metrics
    from data import load

    services = load("dev", name)
    shortest = min(services, key=lambda s: len(s.x))
    for method in METHODS:
        causal, moved = harness.audit(score_alone(method), shortest)
        if not causal:
            raise SystemExit(f"{method} looks ahead on {shortest.name}: scores move by {moved:.3g}")
    scores, seconds = replay(services[0].step, [s.t for s in services], [s.x for s in services], METHODS)
    out = {}
    for method, found in scores.items():
        for s, score in zip(services, found, strict=True):
            score[: s.warm] = 0
        took = (seconds[SINGLE] + (seconds[method] if method != SINGLE else 0)) / len(services)
        table = harness.table([(s, score, took) for s, score in zip(services, found, strict=True)])
        sweep = metrics.Sweep([(v, s.t, s.events, s.warm) for s, v in zip(services, found, strict=True)])
        out[method] = figures(sweep, table)
        print(method, harness.line(name, table), flush=True)
    return out


def row(name: str, it: dict[str, Any], own: bool) -> str:
    """One line of the table."""
    fa1, low = it["fa1"], it["fa0.1"]
    best = it.get("best_within_1")
    inside = it["best_f1"]["fa_week"] <= 1
    within = f"{best['f1']:.2f} @ {best['fa_week']:.2f}" if best else "–"
    if not best and inside:
        within = f"{it['best_f1']['f1']:.2f} @ {it['best_f1']['fa_week']:.2f}"
    at1 = f"{it['at1']['f1']:.2f} / {it['at1']['fa_week']:.2f} / {it['at1']['recall']:.2f}" if own else "–"
    return (
        f"| {name} | {fa1['f1']:.2f} | {within} | {fa1['recall']:.2f} | {low['recall']:.2f} | {at1} "
        f"| {it['vus_pr']:.2f} | {fa1['delay_med_min']:.0f} | {it['us_per_point']:.0f} |"
    )


HEAD = """| detector | F1 at 1 a week | best F1 within it @ false alarms | recall at 1 | recall at 0.1 \
| at score 1: F1 / false alarms / recall | VUS-PR | delay (min) | µs per vector |
|---|---|---|---|---|---|---|---|---|"""


def page(all_figures: dict[str, Any], yardstick: Path, command: str) -> str:
    """The tables of all sets, the product's methods first."""
    peers = json.loads((yardstick / "results" / "mv.json").read_text())
    lines = []
    for name, methods in all_figures.items():
        lines += [f"## {name}", "", HEAD]
        lines += [row(f"**{method}**", it, True) for method, it in methods.items()]
        prefix = f"dev/{name}/"
        others = {key.removeprefix(prefix): it for key, it in peers.items() if key.startswith(prefix) and it}
        ordered = sorted(others.items(), key=lambda item: -item[1]["fa1"]["f1"])
        lines += [*(row(peer, it, False) for peer, it in ordered), ""]
    return "\n".join([*lines, f"Command: `{command}`.", ""])


def main() -> None:
    arguments = argparse.ArgumentParser(description="measure joint scores on the yardstick")
    arguments.add_argument("--sets", default=",".join(SETS))
    arguments.add_argument("--yardstick", type=Path, default=HERE.parent.parent / "shared" / "bench")
    given = arguments.parse_args()
    sys.path.insert(0, str(given.yardstick))
    measured = {name: measure(name) for name in given.sets.split(",")}
    command = f"bench/groups.py --sets {given.sets}"
    target = HERE / "results"
    target.mkdir(exist_ok=True)
    (target / "groups.json").write_text(json.dumps({"command": command, "sets": measured}, indent=1) + "\n")
    (target / "groups.md").write_text(page(measured, given.yardstick, command))


if __name__ == "__main__":
    main()
