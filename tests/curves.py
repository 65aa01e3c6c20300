"""Deterministic series as functions of time: the same instant always has the same value."""

from __future__ import annotations

import numpy as np

from tests.fake_tsdb import Curve

DAY = 86_400


def noise(times: np.ndarray, seed: int) -> np.ndarray:
    """About a standard normal variable per instant, without state: a sum of hashed uniforms."""
    total = np.zeros(len(times))
    for part in range(6):
        hashed = np.sin(times * (12.9898 + part) + seed * 78.233 + part) * 43_758.5453
        total += hashed - np.floor(hashed)
    return (total - 3) * np.sqrt(2)


def daily(seed: int = 0, level: float = 100.0, swing: float = 30.0, rough: float = 2.0) -> Curve:
    """A day's wave with noise."""
    return lambda times: level + swing * np.sin(2 * np.pi * times / DAY) + rough * noise(times, seed)


def between(curve: Curve, start: float, end: float) -> Curve:
    """`curve` where start <= time < end, no sample elsewhere."""
    return lambda times: np.where((times >= start) & (times < end), curve(times), np.nan)


def replaced(curve: Curve, start: float, end: float, value: float) -> Curve:
    """`curve`, but `value` where start <= time < end."""
    return lambda times: np.where((times >= start) & (times < end), value, curve(times))
