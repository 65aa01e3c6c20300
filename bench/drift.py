"""How well the product's drift scores find changes, on the drift set of ../shared/bench, beside its peers.

    .venv/bin/python bench/drift.py [--yardstick DIR] [--window 24]

Writes bench/results/drift.json and bench/results/drift.md. One configuration, the defaults, for every series;
kind and time of the changes are seen by the metrics only. Needs numba and pandas beside the product.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from exporter.drift import TESTS  # noqa: E402
from exporter.drift.hours import Hours  # noqa: E402
from exporter.drift.renewal import is_due, renewed  # noqa: E402

NAMES = (*TESTS, "combined")
KINDS = ("level", "ramp", "season", "variance")
REFRESH = 24
MONDAY = 1_704_067_200
DAY = 144
BUDGETS = ("fa1", "fa0.25")


def score(values: np.ndarray, step: int, window: int) -> np.ndarray:
    """Scores (points, tests, S) of `values` (points, S) as the product says them: anew after every hour."""
    hours, reference = Hours(step, values.shape[1]), None
    allowed = np.ones(values.shape[1], bool)
    out = np.zeros((len(values), len(NAMES), values.shape[1]), np.float32)
    for row in range(len(values)):
        before = hours.hour
        hours.add([MONDAY + row * step], values[row : row + 1], allowed)
        if row:
            out[row] = out[row - 1]
        if before is None or hours.hour == before or hours.hour is None:
            continue
        if is_due(reference, window, REFRESH, hours.hour):
            hours.rebase()
            reference = renewed(reference, hours.past(), window)
        found = reference.scores(hours.past(window))
        out[row] = np.nan_to_num(np.stack([found[name] for name in NAMES]))
    return out


def score_all(series: list[dict[str, Any]], window: int) -> dict[str, list[np.ndarray]]:
    """Scores by test of every series; those of one length are stepped side by side."""
    alike: dict[int, list[int]] = defaultdict(list)
    for row, it in enumerate(series):
        alike[len(it["x"])].append(row)
    out: dict[str, list[np.ndarray]] = {name: [np.zeros(0)] * len(series) for name in NAMES}
    for rows in alike.values():
        found = score(np.stack([series[row]["x"] for row in rows], axis=1), series[0]["step"], window)
        for column, row in enumerate(rows):
            for place, name in enumerate(NAMES):
                out[name][row] = found[:, place, column]
    return out


def audit(series: dict[str, Any], window: int) -> None:
    """Scores before a cut must not move when everything after it is replaced by noise."""
    cut = int(0.7 * len(series["x"]))
    other = series["x"].copy()
    other[cut:] = np.random.default_rng(0).normal(other.mean(), 9 * other.std(), len(other) - cut)
    one, two = (score(it[:, None], series["step"], window)[:cut] for it in (series["x"], other))
    if not np.allclose(one, two):
        raise SystemExit(f"the drift scores look ahead on {series['name']}")


def ruled(series: list[dict[str, Any]], rule: Any) -> list[np.ndarray]:
    """1 where `rule(reference, window)` holds, every hour: the last day against the 7 days before it."""
    out = []
    for it in series:
        x, fired = it["x"], np.zeros(len(it["x"]))
        for row in range(8 * DAY, len(x), 6):
            fired[row : row + 6] = rule(x[row - 8 * DAY : row - DAY], x[row - DAY : row])
        out.append(fired)
    return out


def wasserstein_rule(reference: np.ndarray, window: np.ndarray) -> bool:
    """Evidently's default for numbers, reference above 1,000 rows: Wasserstein over the sd, at least 0.1."""
    levels = (np.arange(100) + 0.5) / 100
    moved = np.abs(np.quantile(reference, levels) - np.quantile(window, levels)).mean()
    return bool(moved >= 0.1 * max(float(reference.std()), 1e-3))


def ks_rule(reference: np.ndarray, window: np.ndarray) -> bool:
    """Evidently's default up to 1,000 rows: two-sample KS, p < 0.05, by the asymptotic limit."""
    both = np.concatenate([reference, window])
    own = [np.searchsorted(np.sort(it), both, side="right") / len(it) for it in (reference, window)]
    size = len(reference) * len(window) / (len(reference) + len(window))
    return bool(np.abs(own[0] - own[1]).max() > 1.358 / np.sqrt(size))


def js_distance(reference: np.ndarray, window: np.ndarray) -> float:
    """Jensen-Shannon distance over Doane's bins of the reference; what lies outside is a bin of its own."""
    edges = np.histogram_bin_edges(reference, bins="doane")
    bins = [np.r_[(it < edges[0]).sum(), np.histogram(it, edges)[0], (it > edges[-1]).sum()] / len(it)
            for it in (reference, window)]  # fmt: skip
    middle = (bins[0] + bins[1]) / 2
    parts = [np.where(it > 0, it * np.log2(np.where(it > 0, it, 1) / np.where(it > 0, middle, 1)), 0).sum()
             for it in bins]  # fmt: skip
    return float(np.sqrt(max(sum(parts) / 2, 0)))


def nannyml(series: list[dict[str, Any]]) -> list[np.ndarray]:
    """NannyML's default: daily chunks, distance above mean + 3 sd of the reference's chunks (14 days)."""
    out = []
    for it in series:
        x, fired = it["x"], np.zeros(len(it["x"]))
        reference = x[: 14 * DAY]
        own = [js_distance(reference, reference[at : at + DAY]) for at in range(0, 14 * DAY, DAY)]
        limit = np.mean(own) + 3 * np.std(own)
        for row in range(15 * DAY, len(x), DAY):
            fired[row : row + DAY] = js_distance(reference, x[row - DAY : row]) > limit
        out.append(fired)
    return out


RULES = {
    "Evidently, Wasserstein >= 0.1 sd": lambda series: ruled(series, wasserstein_rule),
    "Evidently, KS p < 0.05": lambda series: ruled(series, ks_rule),
    "Jensen-Shannon > 0.1": lambda series: ruled(series, lambda a, b: js_distance(a, b) > 0.1),
    "NannyML, JS above mean + 3 sd": nannyml,
}


def at(
    yardstick: Any, scores: list[np.ndarray], series: list[dict[str, Any]], threshold: float
) -> dict[str, float]:
    """Recall, median delay (h), false alarms per series-month at one threshold, by the yardstick's rules."""
    step = series[0]["step"]
    start = yardstick.WARM // step
    found = [yardstick.alarms(it, threshold, step, start) for it in scores]
    controls = [row for row, it in enumerate(series) if it["cp"] < 0]
    months = sum((len(series[row]["x"]) - start) * step for row in controls) / (30 * 86_400)
    delays, changed = [], 0
    for own, it in zip(found, series, strict=True):
        if it["cp"] < 0:
            continue
        changed += 1
        end = it["cp"] + (10 if it["kind"] == "ramp" else 7) * 86_400 // step
        mine = [row for row in own if it["cp"] <= row <= end]
        if mine and not any(it["cp"] <= row <= end for row in found[it["twin"]]):
            delays.append((mine[0] - it["cp"]) * step / 3600)
    return {
        "fa_month": sum(len(found[row]) for row in controls) / months,
        "recall": len(delays) / changed,
        "delay_h": float(np.median(delays)) if delays else float("nan"),
    }


def measure(yardstick: Any, series: list[dict[str, Any]], window: int) -> dict[str, Any]:
    """All figures of the product and of the rules re-stated."""
    audit(series[7], window)
    scores = score_all(series, window)
    figures: dict[str, Any] = {"tests": {}, "rules": {}}
    for name in NAMES:
        out, _ = yardstick.evaluate(scores[name], series)
        fixed = {f"at{limit}": at(yardstick, scores[name], series, limit) for limit in (3, 5)}
        figures["tests"][name] = {**out, **fixed}
    for name, rule in RULES.items():
        figures["rules"][name] = at(yardstick, rule(series), series, 0.5)
    return figures


def row(name: str, figures: dict[str, Any]) -> str:
    """One line of the table of scores."""
    cells = []
    for budget in BUDGETS:
        it = figures[budget]
        kinds = " ".join(f"{it.get(f'r_{kind}', 0):.2f}" for kind in KINDS)
        cells += [f"{it['recall']:.2f} ({it['delay_h']:.0f} h)", kinds]
    for limit in ("at3", "at5"):
        own = figures.get(limit)
        cells.append(f"{own['recall']:.2f} ({own['delay_h']:.0f} h) @ {own['fa_month']:.2f}" if own else "")
    return f"| {name} | " + " | ".join(cells) + " |"


HEAD = f"""| score | recall at 1 (delay) | {" ".join(KINDS)} | recall at 0.25 (delay) | {" ".join(KINDS)} \
| at score 3 @ false alarms | at score 5 @ false alarms |
|---|---|---|---|---|---|---|"""


def table(figures: dict[str, Any], peers: dict[str, Any]) -> str:
    """The page of results."""
    tests = figures["tests"]
    own = sorted(NAMES, key=lambda name: (name != "combined", -tests[name]["fa1"]["recall"]))
    lines = [HEAD, *(row(f"**{name}**" if name == "combined" else name, tests[name]) for name in own)]
    ranked = sorted(peers.items(), key=lambda item: -item[1]["fa1"]["recall"])
    lines += [row(f"baseline {name.removeprefix('dev/')}", it) for name, it in ranked]
    lines += ["", "| rule as shipped | recall (delay) | false alarms per series-month |", "|---|---|---|"]
    for name, it in figures["rules"].items():
        lines.append(f"| {name} | {it['recall']:.2f} ({it['delay_h']:.0f} h) | {it['fa_month']:.2f} |")
    lines += ["", f"Command: `{figures['command']}`."]
    return "\n".join(lines) + "\n"


def main() -> None:
    arguments = argparse.ArgumentParser(description="measure the product's drift scores on the yardstick")
    arguments.add_argument("--yardstick", type=Path, default=HERE.parent.parent / "shared" / "bench")
    arguments.add_argument("--window", type=int, default=24)
    given = arguments.parse_args()
    sys.path.insert(0, str(given.yardstick))
    import importlib

    sys.path = [it for it in sys.path if Path(it or ".").resolve() != HERE]
    yardstick = importlib.import_module("drift")
    figures = measure(yardstick, yardstick.load_drift("dev"), given.window)
    figures["command"] = f".venv/bin/python bench/drift.py --window {given.window}"
    peers = json.loads((given.yardstick / "results" / "drift.json").read_text())
    page = table(figures, peers)
    if given.window == 24:
        (HERE / "results" / "drift.json").write_text(json.dumps(figures, indent=1) + "\n")
        (HERE / "results" / "drift.md").write_text(page)
    print(page)


if __name__ == "__main__":
    main()
