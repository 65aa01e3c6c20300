"""Jensen-Shannon distance (Lin 1991; a metric as its square root, Endres and Schindelin 2003)."""

from __future__ import annotations

import numpy as np

from exporter.drift.bins import shares
from exporter.drift.windows import Windows
from exporter.frame import Floats

FLOOR = 0.1


def distance(one: Floats, other: Floats) -> Floats:
    """From 0 to 1 between shares (..., B) that sum to 1; shares of 0 add nothing."""
    middle = (one + other) / 2
    divergence = (_relative(one, middle) + _relative(other, middle)) / 2
    return np.sqrt(np.maximum(divergence, 0))


def statistic(windows: Windows) -> Floats:
    """Distance between the smoothed shares of window and reference, (S, C)."""
    return distance(*shares(windows))


def _relative(one: Floats, other: Floats) -> Floats:
    ratio = np.divide(one, other, out=np.ones(np.broadcast(one, other).shape), where=(one > 0) & (other > 0))
    entropy: Floats = (one * np.log2(ratio)).sum(axis=-1)
    return entropy
