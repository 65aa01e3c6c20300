"""Wasserstein distance (earth mover's), normalised by the reference's typical residual."""

from __future__ import annotations

import numpy as np

from exporter.drift.windows import Windows
from exporter.frame import Floats

FLOOR = 0.4


def statistic(windows: Windows) -> Floats:
    """Mean distance between the quantiles of window and reference, (S, C), in typical residuals.

    In one dimension this is the first Wasserstein distance (Vallender 1974).
    """
    distance: Floats = np.abs(windows.quantiles() - windows.grid[:, None, :]).mean(axis=-1)
    return distance
