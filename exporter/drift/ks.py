"""Two-sample Kolmogorov-Smirnov distance (Smirnov 1939)."""

from __future__ import annotations

import numpy as np

from exporter.drift.windows import LEVELS, Windows
from exporter.frame import Floats

FLOOR = 0.13


def statistic(windows: Windows) -> Floats:
    """The largest distance of the two distribution functions, (S, C), from 0 to 1.

    The reference's function is known at 32 quantiles, which is finer than the steps of a day's 24 hours.
    """
    share = windows.below(windows.grid) / np.maximum(windows.count, 1)[..., None]
    distance: Floats = np.abs(share - LEVELS).max(axis=-1)
    return distance
