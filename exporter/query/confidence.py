"""How far a score can be trusted, 0 to 1: the product of what is known against it."""

from __future__ import annotations

import numpy as np

from exporter.frame import Floats

SETTLED = 15 * 86_400.0
"""Seconds of points after which a series is no longer young: it has shown two weekends."""

UNSETTLED = 86_400.0
"""The doubt that a new level leaves behind falls to a third in so many seconds."""


MODERATE, SEVERE = 3.0, 5.0
"""The steps of the drift scale."""


def confidence(
    known: Floats,
    warm_up: float,
    share: Floats,
    since_shift: Floats,
    edge_factor: Floats | float,
    drift: Floats | float = 0.0,
) -> Floats:
    """youth · completeness · settledness · steadiness / edge factor, (S,).

    `known`: seconds of points seen; `share`: of the points of the last day, how many were there;
    `since_shift`: seconds since a level was accepted, NaN where there was none; `edge_factor`: by what near
    misses raised the edge; `drift`: the last drift score. Formula: docs/score.md.
    """
    settled, steady = settledness(since_shift), steadiness(drift)
    product: Floats = youth(known, warm_up) * share * settled * steady / edge_factor
    return np.clip(product, 0, 1)


def settledness(since_shift: Floats) -> Floats:
    """From a half, right after a level was accepted, to 1; 1 where there was none (NaN)."""
    settled: Floats = 1 - 0.5 * np.exp(-np.nan_to_num(since_shift, nan=np.inf) / UNSETTLED)
    return settled


def steadiness(drift: Floats | float) -> Floats:
    """1 without drift, 0.85 from a score of 3, 0.7 from 5."""
    steps = np.greater_equal(drift, MODERATE).astype(float) + np.greater_equal(drift, SEVERE)
    steady: Floats = 1 - 0.15 * steps
    return steady


def youth(known: Floats, warm_up: float) -> Floats:
    """From 0 over a half at the end of the warm-up to 1 once the series is settled."""
    settled = max(SETTLED, 2 * warm_up)
    young: Floats = np.interp(known, [0.0, warm_up, settled], [0.0, 0.5, 1.0])
    return young
