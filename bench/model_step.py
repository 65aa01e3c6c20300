"""What one step of a model costs, what it keeps, and how fast history goes through it.

    .venv/bin/python bench/model_step.py [--model seasonal] [--sizes 20,2000,10000,100000]

Writes bench/results/model_step-<model>.md. The model is first taught two days of 1,000 lifelike series, which
are then repeated up to the size measured. Times are processor time of this one thread, medians of the runs.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from exporter.models import MODELS  # noqa: E402
from exporter.models.contract import Comparing, Model, Settings  # noqa: E402
from exporter.models.refit import HOURS, Refit  # noqa: E402

STEP = 60
TAUGHT = 1_000
START = 1_704_067_200
RUNS = {20: 400, 2_000: 100, 10_000: 40, 100_000: 11}


SETTINGS = Settings(step=STEP, normal=(0.0, 1e9))
"""Static alone looks at `normal`."""


def values(rows: np.ndarray, at: int, rng: np.random.Generator) -> np.ndarray:
    """One point of daily waves of many sizes, with heavy-tailed noise."""
    size = 10.0 ** (rows % 9 - 2)
    wave = 10 + np.sin(2 * np.pi * at / 86_400)
    return size * (wave + 0.5 * rng.standard_t(4, TAUGHT)[rows])


def taught(name: str, rng: np.random.Generator) -> tuple[Model, int]:
    """A model of TAUGHT series that have left their warm-up, and the time after it."""
    model = MODELS[name](SETTINGS, TAUGHT)
    rows, everyone = np.arange(TAUGHT), np.ones(TAUGHT, bool)
    end = START + 2 * 86_400 + 3_600
    for at in range(START, end, STEP):
        model.step(at, values(rows, at, rng), everyone, band=False)
    return model, end


def repeated(name: str, model: Model, size: int) -> Model:
    """A model of `size` series, those of `model` over and over."""
    larger = MODELS[name](SETTINGS, size)
    rows = np.arange(size) % TAUGHT
    larger.state = {key: np.ascontiguousarray(array[..., rows]) for key, array in model.state.items()}
    if isinstance(larger, Comparing):
        larger.compare(rows % 100)
    return larger


def median_step(model: Model, size: int, at: int, runs: int, band: bool, rng: np.random.Generator) -> float:
    """Median processor time of a step, in milliseconds."""
    rows, everyone, times = np.arange(size) % TAUGHT, np.ones(size, bool), []
    for i in range(runs):
        point = values(rows, at + i * STEP, rng)
        began = time.process_time()
        model.step(at + i * STEP, point, everyone, band=band)
        times.append(1e3 * (time.process_time() - began))
    return statistics.median(times)


def median_fit(model: Refit) -> float:
    """Median processor time of a fit to two weeks of hours, in milliseconds."""
    past, times = 10 + np.sin(np.arange(HOURS) * np.pi / 12), []
    for seed in range(21):
        noise = np.random.default_rng(seed).normal(0, 0.3, HOURS)
        began = time.process_time()
        model.fit(past + noise)
        times.append(1e3 * (time.process_time() - began))
    return statistics.median(times)


def main() -> None:
    arguments = argparse.ArgumentParser(description="measure a model's step")
    arguments.add_argument("--model", default="seasonal", choices=sorted(MODELS))
    arguments.add_argument("--sizes", default=",".join(map(str, RUNS)))
    given = arguments.parse_args()
    name, sizes = given.model, [int(size) for size in given.sizes.split(",")]
    rng = np.random.default_rng(0)
    model, at = taught(name, rng)
    lines = [
        "| series | step with band (ms) | step of a replay (ms) | replay, points/s | bytes per series |",
        "|---|---|---|---|---|",
    ]
    for size in sizes:
        runs = RUNS[size]
        larger = repeated(name, model, size)
        live = median_step(larger, size, at, runs, True, rng)
        replay = median_step(larger, size, at + runs * STEP, runs, False, rng)
        kept = sum(array.nbytes for array in larger.state.values()) / size
        lines.append(f"| {size:,} | {live:.2f} | {replay:.2f} | {size / replay * 1e3:,.0f} | {kept:,.0f} |")
        print(lines[-1], flush=True)
    (HERE / "results").mkdir(exist_ok=True)
    if isinstance(model, Refit):
        lines += ["", f"A fit takes {median_fit(model):.1f} ms of processor time."]
    lines += ["", f"Command: `.venv/bin/python bench/model_step.py --model {name} --sizes {given.sizes}`."]
    (HERE / "results" / f"model_step-{name}.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
