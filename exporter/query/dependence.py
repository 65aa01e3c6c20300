"""How far the past of a series is its own repetition: whether it comes back, and how many hours are news."""

from __future__ import annotations

import numpy as np

from exporter.frame import Floats, Mask

DAY = 24
LAGS = DAY
FEWEST = 10 * DAY
"""Hours with a value that a finding needs."""

_CRITICAL = (-2.86154, -2.8903)
"""The 5 % point of the statistic with a constant, and what 1/N adds to it (MacKinnon 2010)."""


def without_day(means: Floats) -> Floats:
    """Hourly `means` (T, S), oldest first, less the mean of their hour of the day; only whole days."""
    whole = means[len(means) % DAY :].astype(np.float64)
    days = whole.reshape(-1, DAY, whole.shape[1])
    there = days == days
    level = np.where(there, days, 0).sum(axis=0) / np.maximum(there.sum(axis=0), 1)
    return np.asarray((days - level).reshape(whole.shape))


def known(values: Floats) -> Mask:
    """Which columns of `values` (T, S) have moved, and in enough hours, (S,)."""
    there = values == values
    moved = np.where(there, np.abs(values), 0).max(axis=0, initial=0) > 1e-9
    return np.asarray(moved & (there.sum(axis=0) >= FEWEST))


def returns(values: Floats) -> float:
    """The augmented Dickey-Fuller statistic of one series (T,) over its limit: a constant, LAGS differences.

    Above 1 the series returns to its level: a walk that never does is ruled out at 5 %. NaN where gaps leave
    too little.
    """
    change = np.diff(values)
    lagged = np.lib.stride_tricks.sliding_window_view(change, LAGS + 1)
    design = np.column_stack((values[LAGS:-1], lagged[:, :-1], np.ones(len(lagged))))
    target = lagged[:, -1]
    whole = np.isfinite(design).all(axis=1) & np.isfinite(target)
    design, target = design[whole], target[whole]
    count, width = design.shape
    if count < 2 * width:
        return float("nan")
    inverse = np.linalg.pinv(design.T @ design)
    found = inverse @ (design.T @ target)
    left = target - design @ found
    error = np.sqrt(left @ left / (count - width) * inverse[0, 0])
    limit = _CRITICAL[0] + _CRITICAL[1] / count
    return float(found[0] / error / limit) if error > 0 else float("nan")


def independent(values: Floats) -> Floats:
    """How many independent hours each column of `values` (T, S) is worth, (S,).

    Hours with a value over 1 + 2 Σ autocorrelation, in pairs of lags while those are positive (Geyer 1992).
    """
    there = (values == values).astype(np.float64)
    size = 2 * len(values)
    power = [np.abs(np.fft.rfft(np.nan_to_num(it), size, axis=0)) ** 2 for it in (values, there)]
    sums, counts = (np.fft.irfft(it, size, axis=0)[: 2 * (len(values) // 4)] for it in power)
    covariance = sums / np.maximum(np.rint(counts), 1)
    related = covariance / np.maximum(covariance[0], 1e-300)
    pairs = related.reshape(-1, 2, values.shape[1]).sum(axis=1)
    lasting = np.logical_and.accumulate(pairs > 0, axis=0)
    time = np.maximum(2 * (pairs * lasting).sum(axis=0) - 1, 1)
    return np.asarray(there.sum(axis=0) / time)
