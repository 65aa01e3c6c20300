"""Joint drift: the shifts of a service's queries together, by the Mahalanobis distance and its own law."""

from __future__ import annotations

import math

import numpy as np

from exporter.frame import Floats

SHRINKAGE = 0.5
"""The correlation goes half the way to none (Ledoit and Wolf 2004): some 25 days teach little about pairs."""

FEWEST_DAYS = 7
_NORMAL_99 = 2.326


def drift_scores(shifts: Floats, days: Floats) -> Floats:
    """Joint drift of K services over P queries, (K,), on the scale of `drift_score`.

    `shifts` (K, P): the window's shift of each query in sds over its reference's days; `days` (D, K, P): the
    same of each of those days. NaN is a missing member: the distance is that of the others, in their number
    of dimensions. NaN where fewer than two are there.
    """
    correlation = _correlation(days)
    squared, members = distance_squared(shifts, correlation)
    past = [normal_equivalent(*distance_squared(day, correlation)) for day in days]
    score = normal_equivalent(squared, members) / _stretch(np.array(past).reshape(len(days), -1))
    return np.where(members >= 2, np.maximum(score, 0), np.nan)


def distance_squared(shifts: Floats, correlation: Floats) -> tuple[Floats, Floats]:
    """D^2 = x' C^-1 x over the members that are there, and their number, (K,) each.

    `shifts` (K, P), NaN where a member is missing; `correlation` (K, P, P).
    """
    there = np.isfinite(shifts)
    x = np.where(there, shifts, 0)
    pairs = there[:, :, None] & there[:, None, :]
    correlation = np.where(pairs, correlation, 0)
    size = shifts.shape[1]
    correlation[:, np.arange(size), np.arange(size)] = 1  # a missing member is alone, and at 0
    solved = np.linalg.solve(correlation, x[..., None])[..., 0]
    return (x * solved).sum(axis=1), there.sum(axis=1).astype(float)


def normal_equivalent(squared: Floats, dimensions: Floats) -> Floats:
    """The normal quantile that is as rare as D^2 under chi-square of `dimensions` (Wilson and Hilferty 1931).

    3 is D^2 = chi2.ppf(.99865, dimensions): 11.8 for two, 20.1 for six. D itself has no such law.
    """
    p = np.maximum(dimensions, 1)
    part = 2 / (9 * p)
    equivalent: Floats = (np.cbrt(squared / p) - (1 - part)) / np.sqrt(part)
    return equivalent


def _correlation(days: Floats) -> Floats:
    """Of each service, (K, P, P), about 0, shrunk; none where too few days are known."""
    seen = np.isfinite(days).astype(float)
    x = np.clip(np.nan_to_num(days), -5, 5)
    count = np.einsum("dkp,dkq->kpq", seen, seen)
    product = np.einsum("dkp,dkq->kpq", x, x)
    own = np.sqrt(np.einsum("kpp->kp", product))
    scale = own[:, :, None] * own[:, None, :]
    correlation = np.divide(product, scale, out=np.zeros_like(product), where=scale > 0)
    shrunk: Floats = np.where(count >= FEWEST_DAYS, (1 - SHRINKAGE) * correlation, 0.0)
    return shrunk


def _stretch(past: Floats) -> Floats:
    """By how much the days' own distances outdo the law, (K,), at least 1; days with a shared cause do."""
    if len(past) < FEWEST_DAYS:
        return np.ones(past.shape[1])
    place = math.ceil(0.95 * (len(past) - 1))
    worst = np.sort(np.nan_to_num(past, nan=-np.inf), axis=0)[place]
    stretch: Floats = np.maximum(worst / _NORMAL_99, 1)
    return stretch
