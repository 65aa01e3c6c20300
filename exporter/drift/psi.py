"""Population stability index, smoothed and corrected for sample size."""

from __future__ import annotations

import numpy as np

from exporter.drift.bins import BINS, shares
from exporter.drift.windows import Windows
from exporter.frame import Floats

FLOOR = 0.4


def statistic(windows: Windows) -> Floats:
    """sum((p - q) log(p / q)) less its expectation without drift, (BINS - 1) / W, at least 0, (S, C).

    The expectation is that of twice a likelihood ratio (Yurdakul 2018); a window of 24 hours would read 0.3,
    "severe" by the textbook's limits, with no drift at all.
    """
    now, usual = shares(windows)
    index = ((now - usual) * np.log(now / usual)).sum(axis=-1)
    chance = (BINS - 1) / np.maximum(windows.count, 1)
    corrected: Floats = np.maximum(index - chance, 0)
    return corrected
