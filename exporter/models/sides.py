"""Above and below the expected value: each side has a tail of its own, shrunk towards the common one."""

from __future__ import annotations

import numpy as np

from exporter import tail
from exporter.columns import add_up
from exporter.frame import Floats, Rows
from exporter.models.contract import State
from exporter.models.views import VIEWS, WEIGHTS

PRIOR_WEIGHT = np.float32(50)
"""How many exceedances the common tail weighs in that of a side."""

LARGEST_LEAN = np.float32(0.5)
"""By how much, in natural logarithms, a side's quantile may differ from the common one."""

INFLUENCE = np.float32(4)
"""One exceedance counts at most so many mean ones, so that a single outage does not make a heavy tail."""

_UNBIASED = np.float32(1 / -np.expm1(-4.0))
_PRIOR = tail.PRIOR_INDEX

FIELDS = {
    "side_excess": (2 * VIEWS, np.float32, 0.0),
    "side_exceedances": (2 * VIEWS, np.float32, 0.0),
    "common": (VIEWS, np.float32, _PRIOR),
    "slope": (2 * VIEWS, np.float32, np.expm1(_PRIOR * tail.BODY) / np.exp(tail.PRIOR_LOG_QUANTILE)),
    "index": (2 * VIEWS, np.float32, _PRIOR),
}
"""Two rows per view, those above first. What is learnt: `side_excess`, `side_exceedances`; and the law drawn
from it, ln(1 + slope · distance in scales) / index: `slope`, and `index`, which holds the views' weights.
`common`: the tail index of both sides together."""


def draw(state: State, common: Floats, quantile: Floats, rows: Rows | slice) -> None:
    """Draw the law of `rows` anew; `common`, `quantile` (V, R): index and quantile of both sides together."""
    excess, exceedances = (_by_side(state[name][:, rows]) for name in ("side_excess", "side_exceedances"))
    own = tail.shrunk_index(excess, exceedances, common, PRIOR_WEIGHT)
    share = (2 * exceedances + PRIOR_WEIGHT) / (np.add.reduce(exceedances) + PRIOR_WEIGHT)
    lean = np.log(share, out=share)
    lean *= 2 * own
    lean.clip(-LARGEST_LEAN, LARGEST_LEAN, out=lean)
    slope = tail.curvature(own)
    slope /= quantile * np.exp(lean, out=lean)
    state["common"][:, rows] = common
    state["slope"][:, rows] = _by_row(slope)
    state["index"][:, rows] = _by_row(own / WEIGHTS)


def learn(state: State, residual: Floats, counted: Floats, excess: Floats) -> None:
    """Add T points to the tail of the side on which each lies beyond its view's quantile, in place.

    All (T, V, S). `counted`: as how much of an exceedance each point counts; `excess`: how far beyond the
    quantile it lies.
    """
    size = np.minimum(excess, state["common"] * INFLUENCE)
    size *= _UNBIASED
    number, *rest = counted.shape
    sides = np.empty((number, 2, *rest), np.float32)
    above, below = sides[:, 0], sides[:, 1]
    np.multiply(counted, residual < 0, out=below)
    np.subtract(counted, below, out=above)
    excesses = sides * size[:, None]
    add_up(_by_side(state["side_exceedances"]), sides)
    add_up(_by_side(state["side_excess"]), excesses)


def _by_side(rows: Floats) -> Floats:
    return rows.reshape(2, VIEWS, -1)


def _by_row(sides: Floats) -> Floats:
    return sides.reshape(2 * VIEWS, -1)
