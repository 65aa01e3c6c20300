"""Shares of windows in bins that hold equal shares of the reference: what PSI and Jensen-Shannon compare."""

from __future__ import annotations

import numpy as np

from exporter.drift.windows import LEVELS, Windows
from exporter.frame import Floats

BINS = 8
SMOOTHING = 0.5
"""Added to the count of every bin, so that an empty one has no infinite information (Jeffreys' prior)."""


def shares(windows: Windows) -> tuple[Floats, Floats]:
    """Smoothed shares of each window (S, C, BINS), and those of the reference (BINS,).

    Where grid values are equal, as in constant series, all of them fall into the first bin on both sides.
    """
    every = len(LEVELS) // BINS
    edges = (windows.grid[:, every - 1 : -1 : every] + windows.grid[:, every::every]) / 2
    usual = _smoothed(np.diff(_within(windows.grid[:, None, :], edges), axis=-1), len(LEVELS))
    counts = np.diff(_padded(windows.below(edges), windows.count), axis=-1)
    return _smoothed(counts, windows.count[..., None]), usual


def _within(values: Floats, edges: Floats) -> Floats:
    below = (values[..., None] <= edges[:, None, None, :]).sum(axis=-2, dtype=np.float32)
    return _padded(below, np.full(below.shape[:-1], values.shape[-1]))


def _padded(below: Floats, count: np.ndarray) -> Floats:
    return np.concatenate([np.zeros((*count.shape, 1)), below, count[..., None]], axis=-1)


def _smoothed(counts: Floats, total: np.ndarray | int) -> Floats:
    smoothed: Floats = (counts + SMOOTHING) / (total + SMOOTHING * BINS)
    return smoothed
