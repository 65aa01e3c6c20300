"""Held shift: how far nine tenths of the window lie off, all on one side."""

from __future__ import annotations

import numpy as np

from exporter.drift.windows import Windows
from exporter.frame import Floats

FLOOR = 0.65
SHARE = 0.1


def statistic(windows: Windows, share: float = SHARE) -> Floats:
    """max(q, -Q, 0) of the lower quantile q at `share` and the upper Q, (S, C), in typical residuals.

    A shift that is held: an outage of an hour or a busy afternoon leave it at 0, however large they are.
    """
    held: Floats = np.maximum(windows.quantile(share), -windows.quantile(1 - share))
    return np.maximum(held, 0)
