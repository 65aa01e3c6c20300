"""The sustained form of the score: a running mean that rises slowly and is down soon after an incident."""

from __future__ import annotations

import functools
import math

import numpy as np

from exporter.frame import Floats, Mask
from exporter.models.contract import State

RISE, FALL = 900.0, 180.0
"""Seconds in which the mean follows upwards and downwards."""

LAW = 0.36
"""A mean over many points strays less than one point: it is stretched so that 1 stays its edge."""

LIMIT = np.float32(3.0)
"""The most that one point counts."""

FIELDS = {"sustained": (0, np.float32, 0.0)}


def follow(state: State, score: Floats, present: Mask, step: float) -> Floats:
    """Take in the `score` (T, S) of T points, in place; the sustained form after each, (T, S)."""
    sustained = state["sustained"]
    rise, fall, stretch = _rates(step)
    out = np.minimum(score, LIMIT).astype(np.float32, copy=False)
    for change, here in zip(out, present, strict=True):
        change -= sustained
        change *= here
        change *= (change > 0) * (rise - fall) + fall
        sustained += change
        change[:] = sustained
    out *= stretch
    return out


@functools.cache
def _rates(step: float) -> tuple[np.float32, np.float32, np.float32]:
    """How much of a point is taken over upwards and downwards, and by what the mean is stretched."""
    rise, fall = (np.float32(min(max(-math.expm1(-step / it), 0.05), 0.5)) for it in (RISE, FALL))
    return rise, fall, np.float32(1 + LAW * math.log1p(RISE / step))
