"""From standardised residuals to rarity: the tail law of each view, and the edge that the budget draws."""

from __future__ import annotations

import math

import numpy as np

from exporter.columns import State
from exporter.frame import Floats

BEYOND = 0.05
"""The share of a view's points that lie beyond its quantile, and so in its tail."""

BODY = -math.log(BEYOND)
PRIOR_LOG_QUANTILE = math.log(2.7)
PRIOR_INDEX = 0.2
PRIOR_WEIGHT = 50.0
"""What a view believes before it has a tail of its own, and how many exceedances that belief weighs."""

LARGEST_INDEX = np.float32(4.0)
LARGEST_EXCESS = np.float32(8.0)
QUANTILE_RATE = 0.001
LARGEST_RATE = np.float32(0.2)
LEAST_LOG_QUANTILE = np.float32(-2)
YOUNGEST = np.float32(50)
RUN_DISCOUNT = 0.7
RUN_FLOOR = 0.1

EDGE = 23.0
STEP_LAW = 0.12
SHORTER_LAW = 0.45
LONGER_LAW = 0.6
LEAST_STRICTNESS = 0.3
WEEK = 7 * 86_400.0


def edge(step: float) -> float:
    """The evidence (natural logarithms, summed over the views) at which a point's score is 1.

    `step`: seconds between points. It is the edge of the standard budget, a false alarm a week; what is
    learnt is learnt with it, whatever the sensitivity. The constants are measured: see docs/score.md.
    """
    return EDGE * max(1 + STEP_LAW * math.log10(60 / step), 0.5)


def strictness(false_alarm_interval: float) -> float:
    """By what to multiply the edge for another budget: seconds between false alarms of a healthy series."""
    weeks = math.log10(false_alarm_interval / WEEK)
    return max(1 + weeks * (LONGER_LAW if weeks > 0 else SHORTER_LAW), LEAST_STRICTNESS)


def index(total: Floats, exceedances: Floats) -> Floats:
    """The tail index from summed log excesses and their number (Hill 1975), shrunk towards the prior."""
    return shrunk_index(total, exceedances, np.float32(PRIOR_INDEX), np.float32(PRIOR_WEIGHT))


def shrunk_index(
    total: Floats, exceedances: Floats, prior: Floats | np.float32, weight: np.float32
) -> Floats:
    """The tail index from `total` log excess, shrunk towards `prior` as by `weight` exceedances."""
    mean: Floats = total + prior * weight
    mean /= exceedances + weight
    return mean.clip(0, LARGEST_INDEX, out=mean)


def curvature(tail_index: Floats) -> Floats:
    """κ of the law P(U > u) = (1 + κ u/q)^(-1/index) (Lomax 1954) that leaves exactly BEYOND beyond q."""
    kappa: Floats = tail_index * np.float32(BODY)
    np.exp(kappa, out=kappa)
    kappa -= 1
    return kappa


def shrunk_quantile(log_quantile: Floats, count: Floats) -> Floats:
    """The quantile to score with, (V, S): the learnt one, nearer to the prior the smaller `count` (S,) is."""
    own = count * np.float32(BEYOND)
    trust = own / (own + np.float32(PRIOR_WEIGHT))
    mixed: Floats = log_quantile - np.float32(PRIOR_LOG_QUANTILE)
    mixed *= trust
    mixed += np.float32(PRIOR_LOG_QUANTILE)
    return np.exp(mixed, out=mixed)


def learn(state: State, size: Floats, kappa: Floats, count: Floats, weight: Floats) -> None:
    """Move quantile and tail index of `state` by one point, in place.

    `size` (V, S) is |residual| / scale, `weight` (S,) 0 or 1, `kappa` (V, S) the present curvature.
    """
    taught, rate = rates(weight, count)
    distance = np.empty_like(size)
    follow(state, size, taught, rate, distance)
    counted = share(state["run"])
    counted *= distance > 1
    counted *= taught
    state["exceedances"] += counted
    state["excess"] += counted * excess(distance, kappa)


def rates(weight: Floats, count: Floats) -> tuple[Floats, Floats]:
    """As how much of a point each teaches tails, and how fast quantiles follow it, (..., S).

    `weight`: 0 where nothing may be learnt, else 1; `count`: points learnt, this one included.
    """
    taught = weight * (count > YOUNGEST)
    rate = taught * YOUNGEST
    rate /= count.clip(YOUNGEST / LARGEST_RATE, YOUNGEST / np.float32(QUANTILE_RATE))
    return taught, rate


def follow(state: State, strange: Floats, taught: Floats, rate: Floats, distance: Floats) -> None:
    """Move the quantile by a point `strange` (V, S) scales away, and count runs of points beyond, in place.

    Fills `distance` (V, S): how many quantiles away it lies. The quantile follows Robbins and Monro (1951).
    """
    log_quantile = state["log_quantile"]
    quantile = np.exp(log_quantile)
    np.abs(strange, out=distance)
    distance /= quantile
    beyond = (distance > 1).astype(np.float32)
    log_quantile += rate * (beyond - np.float32(BEYOND))
    log_quantile.clip(LEAST_LOG_QUANTILE, np.inf, out=log_quantile)
    _count_run(state["run"], beyond, taught)


def _count_run(run: Floats, beyond: Floats, learnt: Floats) -> None:
    """One more of a run where the point lies beyond, half of it forgotten where it does not."""
    half = run * np.float32(0.5)
    change = beyond * half
    change += beyond
    change -= half
    change *= learnt
    run += change


def share(run: Floats) -> Floats:
    """How much the newest of `run` strange points in a row counts as an exceedance.

    Exceedances in a row are one happening, so each further one of a run tells the tail index less; an outage
    of an hour must not look like sixty rare points.
    """
    counts: Floats = run * np.float32(RUN_DISCOUNT)
    counts += np.float32(1 - RUN_DISCOUNT)
    counts.clip(0, np.float32(1 / RUN_FLOOR), out=counts)
    return np.reciprocal(counts, out=counts)


def excess(distance: Floats, kappa: Floats) -> Floats:
    """ln((1 + κ distance) / (1 + κ)): how much farther than its quantile a point lies, in the law's terms."""
    further: Floats = distance * kappa
    further += 1
    further /= 1 + kappa
    np.log(further, out=further)
    return further.clip(0, LARGEST_EXCESS, out=further)
