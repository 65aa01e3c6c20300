"""The views of a value: against slow level, fast level and autoregression, all with the season."""

from __future__ import annotations

import functools
import math

import numpy as np

from exporter.frame import Floats, Mask
from exporter.models import autoregression
from exporter.models.contract import State

VIEWS = 3
SLOW, FAST, NEXT = range(VIEWS)
NAMES = ("usual", "recent", "next")
"""Its usual level at this hour, its recent level at this hour, and what the last points lead to."""

SPREAD = VIEWS
WEIGHTS = np.array([[0.9375], [0.65625], [1.40625]], np.float32)
"""How much the evidence of each view counts in the sum; measured, and flat."""

SLOW_LEVEL = 7 * 86_400.0
FAST_LEVEL = 3_600.0
SCALE_MEMORY = 20 * 86_400.0
CLIP = np.float32(1.2)
"""A residual teaches levels and scales no more than this many times its own quantile."""

PATIENCE = 1 / 6
"""In a run of strange points that bound grows e-fold in this share of the time after which a level that
lasts is accepted: what stays is learnt in the end."""

SETTLED = 20
_FLOOR_OF_SPREAD = np.float32(0.01)
_FLOOR_OF_LEVEL = np.float32(1e-6)
_SMALLEST = np.float32(1e-12)

FIELDS = {
    "level": (2, np.float64, 0.0),
    "scale": (VIEWS + 1, np.float32, 0.0),
}
"""`scale`: mean absolute residual of each view and, at SPREAD, that of the value from its slow level."""


def centres(state: State, season: Floats, recent: Mask) -> Floats:
    """Where each view expects the value, shape (V, S), float64.

    The autoregression speaks only where the last point is `recent`; elsewhere the fast level stands in.
    """
    places = np.empty((VIEWS, len(season)))
    np.add(state["level"], season, out=places[:NEXT])
    np.add(places[SLOW], autoregression.predict(state), out=places[NEXT])
    np.copyto(places[NEXT], places[FAST], where=~recent)
    return places


def widths(state: State) -> Floats:
    """Each view's scale, (V, S), with floors from the spread and the resolution of the series."""
    widest: Floats = np.maximum(state["scale"][:VIEWS], floor(state))
    return widest


def floor(state: State) -> Floats:
    """The least scale of a view, (S,)."""
    least: Floats = np.abs(state["level"][SLOW]).astype(np.float32)
    least *= _FLOOR_OF_LEVEL
    least += _FLOOR_OF_SPREAD * state["scale"][SPREAD]
    least += _SMALLEST
    return least


def bound(reach: Floats, run: Floats, points: float) -> Floats:
    """The largest residual that is learnt from, (V, S); `run`: strange points in a row.

    `points`: in how many points a lasting level is accepted.
    """
    patience = run * np.float32(1 / max(PATIENCE * points, 4))
    patience.clip(0, 40, out=patience)
    np.exp(patience, out=patience)
    patience *= CLIP * reach
    return patience


def learn(state: State, clipped: Floats, season: Floats, gained: Floats) -> None:
    """Move levels, spread and scales by one point's bounded residuals (V, S), in place.

    `gained`: how much of the point levels and scales take over, as `gains` tells.
    """
    state["level"] += gained[:NEXT] * clipped[:NEXT]
    size = np.empty_like(state["scale"])
    size[:VIEWS] = clipped
    np.add(clipped[SLOW], season, out=size[SPREAD])
    np.abs(size, out=size)
    size -= state["scale"]
    size *= gained[NEXT]
    state["scale"] += size


def gains(weight: Floats, count: Floats, step: float) -> Floats:
    """How much of each of T points slow level, fast level and scales take over, (T, 3, S).

    `weight` (T, S): 0 where nothing may be learnt, else 1; `count` (T, S): points learnt, this one included.
    While a series is young these are plain means; later, exponential ones.
    """
    young = weight / np.maximum(count, 1)
    settled: Floats = _gains(step, (SLOW_LEVEL, FAST_LEVEL, SCALE_MEMORY)) * weight[:, None]
    return np.maximum(settled, young[:, None], out=settled)


@functools.cache
def _gains(step: float, memories: tuple[float, ...]) -> Floats:
    return np.array([[-math.expm1(-step / memory)] for memory in memories], np.float32)
