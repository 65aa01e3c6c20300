"""Made-up but lifelike histories for the tests of models: a daily shape and noise."""

from __future__ import annotations

import numpy as np

from exporter.models import MODELS
from exporter.models.contract import Model, Scores, Settings

START = 1_704_067_200
"""Monday 1 January 2024, 00:00 UTC."""

STEP = 300
DAY = 86_400 // STEP


def times(points: int, start: int = START, step: int = STEP) -> np.ndarray:
    """`points` Unix seconds, `step` apart."""
    return start + step * np.arange(points)


def daily(points: int, series: int = 1, seed: int = 0, noise: float = 2.0, step: int = STEP) -> np.ndarray:
    """(points, series) values around 100, a daily wave of 20, and normal noise."""
    wave = 20 * np.sin(2 * np.pi * times(points, step=step) / 86_400)
    return 100 + wave[:, None] + np.random.default_rng(seed).normal(0, noise, (points, series))


NEEDED: dict[str, dict[str, object]] = {"static": {"normal": (60.0, 140.0)}}
"""Settings without which a model cannot be."""


def fresh(name: str, series: int, **settings: object) -> Model:
    """A model of `series` fresh series at the tests' step."""
    return MODELS[name](Settings(**{"step": STEP, **NEEDED.get(name, {}), **settings}), series)  # type: ignore[arg-type]


def replay(model: Model, at: np.ndarray, values: np.ndarray, learn: bool = True) -> list[Scores]:
    """Step `values` (points, series) through the model, all or none of them learnt."""
    allowed = np.full(values.shape[1], learn)
    return [model.step(int(time), row, allowed) for time, row in zip(at, values, strict=True)]


def scores(steps: list[Scores]) -> np.ndarray:
    """The scores of a replay, (points, series)."""
    return np.array([step.score for step in steps])
