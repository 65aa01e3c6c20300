"""Planted series for the tests of drift: ten-minute points over six weeks, and their scores hour by hour."""

from __future__ import annotations

import numpy as np

from exporter.drift.hours import HOUR, Hours
from exporter.drift.renewal import is_due, renewed

STEP = 600
DAY = 144
WINDOW = 24
START = 1_704_067_200
"""Monday 1 January 2024, 00:00 UTC."""


def times(days: int) -> np.ndarray:
    """Unix seconds of `days` days."""
    return START + STEP * np.arange(days * DAY)


def noise(days: int, series: int = 8, seed: int = 0) -> np.ndarray:
    """Independent normal values, (points, series)."""
    return np.random.default_rng(seed).normal(size=(days * DAY, series))


def autocorrelated(days: int, phi: float, series: int = 8, seed: int = 0) -> np.ndarray:
    """x_i = phi x_(i-1) + e_i with unit variance, (points, series)."""
    shocks = noise(days, series, seed) * np.sqrt(1 - phi * phi)
    out = np.empty_like(shocks)
    level = noise(1, series, seed + 1)[0]
    for row, shock in enumerate(shocks):
        level = phi * level + shock
        out[row] = level
    return out


def seasonal(days: int, series: int = 8, seed: int = 0) -> np.ndarray:
    """A daily wave of 5, working days 4 higher than weekends, and unit noise, (points, series)."""
    at = times(days)
    wave = 5 * np.sin(2 * np.pi * at / 86_400) + 4 * ((at // 86_400 + 3) % 7 < 5)
    return wave[:, None] + noise(days, series, seed)


def filled(values: np.ndarray, start: int = START) -> Hours:
    """The ring after all of `values` (points, series)."""
    hours = Hours(STEP, values.shape[1])
    for row, point in enumerate(values):
        hours.add([start + row * STEP], point[None], np.ones(len(point), bool))
    hours.add([start + len(values) * STEP], values[-1:], np.ones(values.shape[1], bool))
    return hours


def scores(values: np.ndarray, first: int = 28, every: int = 6) -> dict[str, np.ndarray]:
    """The scores of each test from day `first` on, one per `every` hours, (times, series).

    The reference is learnt anew every day, as the product does.
    """
    hours, reference, out = Hours(STEP, values.shape[1]), None, []
    for row, point in enumerate(values):
        before = hours.hour
        hours.add([START + row * STEP], point[None], np.ones(len(point), bool))
        if hours.hour == before or hours.hour is None or row < first * DAY:
            continue
        if is_due(reference, WINDOW, 24, hours.hour):
            hours.rebase()
            reference = renewed(reference, hours.past(), WINDOW)
        if hours.hour % every == 0:
            out.append(reference.scores(hours.past(WINDOW)))
    return {name: np.array([it[name] for it in out]) for name in out[0]}


def hour_of(row: int) -> int:
    """The Unix hour of a point."""
    return (START + row * STEP) // HOUR
