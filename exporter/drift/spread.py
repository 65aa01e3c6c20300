"""Spread ratio: the window's interquartile range over the reference's."""

from __future__ import annotations

import numpy as np

from exporter.drift.windows import LEVELS, Windows
from exporter.frame import Floats

FLOOR = 0.45
_LEAST = 0.05


def statistic(windows: Windows) -> Floats:
    """|log((IQR + f) / (that of the reference + f))|, (S, C); f keeps constant series from infinity."""
    low, high = np.searchsorted(LEVELS, (0.25, 0.75))
    usual = (windows.grid[:, high] - windows.grid[:, low])[:, None]
    now = windows.quantile(0.75) - windows.quantile(0.25)
    ratio: Floats = np.abs(np.log((now + _LEAST) / (usual + _LEAST)))
    return ratio
