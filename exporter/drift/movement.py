"""Held change of movement: by how much seven tenths of the hours move more, or less, than like hours."""

from __future__ import annotations

from exporter.drift import level
from exporter.drift.windows import Windows
from exporter.frame import Floats

FLOOR = 0.33
SHARE = 0.3


def statistic(windows: Windows) -> Floats:
    """The held shift of the log of movement, (S, C), in typical residuals of that log.

    Noise that grows, and a daily wave that grows or flattens, both show here before they show in the values.
    """
    return level.statistic(windows, SHARE)
