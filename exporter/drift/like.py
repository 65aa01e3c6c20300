"""Like hours: the same hour of the last days, and the same hour of the week in the weeks around them."""

from __future__ import annotations

import numpy as np

from exporter.frame import Floats

WEEK = 168
SAME_DAYS, SAME_WEEKS = 7, 3
"""Like hours: the same hour of the last 7 days, and the same hour of the week in the 3 weeks before them."""

WEIGHT = 2
"""Each of the older weeks counts twice, or five working days would outvote every Saturday."""

LEAST_LIKE = 3


def median(values: Floats, least: int = 1) -> Floats:
    """The median over the last axis without NaN; NaN where there are fewer than `least` values."""
    ordered = np.sort(values, axis=-1)
    count = (ordered == ordered).sum(axis=-1)
    places = np.stack([np.maximum(count - 1, 0) // 2, np.minimum(count // 2, values.shape[-1] - 1)], axis=-1)
    middle: Floats = np.take_along_axis(ordered, places, axis=-1).sum(axis=-1) / 2
    return np.where(count >= least, middle, np.nan)


def _moved(feature: Floats, hours: int) -> Floats:
    """`feature` (S, HOURS) later by `hours`, which may be negative."""
    out = np.full_like(feature, np.nan)
    if hours > 0:
        out[:, hours:] = feature[:, :-hours]
    else:
        out[:, :hours] = feature[:, -hours:]
    return out


def expected(feature: Floats) -> Floats:
    """What the like hours of each hour said, (S, HOURS): days before it, and weeks on both sides of it.

    In the first weeks of the past no weeks lie before an hour; without those after it, its weekend would be
    the worst drift that the reference knows.
    """
    weeks = range(-SAME_WEEKS, SAME_WEEKS + 2)
    lags = [24 * day for day in range(1, SAME_DAYS + 1)]
    lags += WEIGHT * [WEEK * week for week in weeks if week not in (0, 1)]
    return median(np.stack([_moved(feature, lag) for lag in lags], axis=-1), LEAST_LIKE)


def profile(feature: Floats, end: int) -> Floats:
    """What the like hours up to `end` say of each hour of the week, (168, S)."""
    size = len(feature)
    weeks = feature[:, -WEEK * (SAME_WEEKS + 1) :].reshape(size, SAME_WEEKS + 1, WEEK)
    days = np.tile(weeks[:, -1].reshape(size, SAME_DAYS, 24), (1, 1, 7))
    like = np.concatenate([days, *WEIGHT * [weeks[:, :-1]]], axis=1)
    by_age = median(np.swapaxes(like, 1, 2), LEAST_LIKE)
    return np.roll(by_age, end % WEEK, axis=1).T
