"""From the size of a joint residual to its rarity: one tail law for the group, bent a little per service."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from exporter.frame import Floats, Rows
from exporter.tail import (
    BEYOND,
    LARGEST_EXCESS,
    PRIOR_INDEX,
    PRIOR_WEIGHT,
    RUN_DISCOUNT,
    RUN_FLOOR,
    curvature,
)

OWN_WEIGHT = 200.0
"""How many points beyond the quantile a service needs for a law half its own."""

CLUSTER = 6.0
"""Points that one chance excursion of a smoothed residual lasts."""

LOWEST_EDGE = 2.0
_SMALLEST = 0.5
"""No quantile is less than half of the textbook's limit: a past without residuals makes none strange."""


def edge(false_alarm_interval: float, step: float) -> float:
    """The evidence at which a joint score is 1: one chance in as many excursions as the budget's time holds.

    `false_alarm_interval`: the budget in seconds per service; `step`: seconds between points.
    """
    return max(math.log(false_alarm_interval / (CLUSTER * step)), LOWEST_EDGE)


@dataclass(frozen=True, slots=True)
class Law:
    """P(size > u) = (1 + κ u/q)^(-1/index), with κ so that BEYOND lies beyond q.

    The form is that of `exporter/tail.py`, for every service and, last, for those without a past; `quantile`
    and `index` have the shape (K + 1,).
    """

    quantile: Floats
    index: Floats

    def evidence(self, size: Floats, services: Rows) -> Floats:
        """-ln P(size), (N,), under the law of each of `services` (N,); -1 is the group's."""
        tail_index = self.index[services]
        evidence: Floats = np.log1p(curvature(tail_index) * size / self.quantile[services]) / tail_index
        return evidence


def learn(sizes: Floats) -> Law:
    """The laws of `sizes` (T, K): K services over T times, NaN where a service was not there."""
    pooled = _quantiles(sizes.reshape(-1, 1))
    own = np.isfinite(sizes).sum(axis=0) * BEYOND
    trust = own / (own + OWN_WEIGHT)
    quantile = np.exp(np.log(_quantiles(sizes)) * trust + np.log(pooled) * (1 - trust))
    excess, weight = _exceedances(sizes, pooled)
    common = (excess.sum() + PRIOR_INDEX * PRIOR_WEIGHT) / (weight.sum() + PRIOR_WEIGHT)
    excess, weight = _exceedances(sizes, quantile)
    index = (excess + common * OWN_WEIGHT) / (weight + OWN_WEIGHT)
    return Law(np.append(quantile, pooled), np.append(index, common))


def _quantiles(sizes: Floats) -> Floats:
    """The quantile of each column, (K,); 1, the textbook's limit, where there is nothing."""
    ranked = np.sort(sizes, axis=0)  # NaN last
    count = np.isfinite(sizes).sum(axis=0)
    place = np.maximum(np.ceil(count * (1 - BEYOND)).astype(np.intp) - 1, 0)
    found = np.take_along_axis(ranked, place[None], axis=0)[0]
    return np.where(count > 0, np.maximum(found, _SMALLEST), 1.0)


def _exceedances(sizes: Floats, quantile: Floats) -> tuple[Floats, Floats]:
    """Summed log excesses beyond `quantile` and their weight, (K,); a run of them is one happening."""
    beyond = sizes > quantile
    times = np.arange(len(sizes))[:, None]
    run = times - np.maximum.accumulate(np.where(beyond, -1, times), axis=0)
    weight = np.maximum(1 / (1 + RUN_DISCOUNT * np.maximum(run - 1, 0)), RUN_FLOOR) * beyond
    logs = np.log(np.where(beyond, sizes, quantile) / quantile)
    return (weight * np.minimum(logs, LARGEST_EXCESS)).sum(axis=0), weight.sum(axis=0)
