"""Standardised median shift."""

from __future__ import annotations

import numpy as np

from exporter.drift.windows import Windows
from exporter.frame import Floats

FLOOR = 0.6


def statistic(windows: Windows) -> Floats:
    """|median| of the residuals, (S, C), in typical residuals; that of the reference is 0 by construction."""
    shift: Floats = np.abs(windows.quantile(0.5))
    return shift
