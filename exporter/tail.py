"""From standardised residuals to rarity: the tail law of a view, and the edge that the budget draws."""

from __future__ import annotations

import math

import numpy as np

from exporter.frame import Floats

BEYOND = 0.05
"""The share of a view's points that lie beyond its quantile, and so in its tail."""

BODY = -math.log(BEYOND)
PRIOR_INDEX = 0.2
PRIOR_WEIGHT = 200.0
"""The tail index a view starts from, and how many exceedances that belief weighs."""

EDGE = 28.0


def edge(false_alarm_interval: float, step: float) -> float:
    """The evidence, in natural logarithms, that a healthy series passes once in `false_alarm_interval` seconds."""
    week = 7 * 86_400.0
    return EDGE * max(1.0 + 0.25 * math.log10(false_alarm_interval / week), 0.25) + 0.0 * step


def index(sums: Floats, counts: Floats) -> Floats:
    """The tail index from the summed log excesses and their number, shrunk towards the prior (Hill 1975)."""
    return (PRIOR_INDEX * PRIOR_WEIGHT + sums) / (PRIOR_WEIGHT + counts)


def curvature(tail_index: Floats) -> Floats:
    """κ of the law P(U > u) = (1 + κ u/q)^(-1/index) that leaves exactly BEYOND beyond q."""
    return np.expm1(BODY * tail_index)


def evidence(distance: Floats, tail_index: Floats, kappa: Floats) -> Floats:
    """-ln P(U > u) where `distance` is u/q; any shape; 0 at 0 and increasing."""
    return np.log1p(kappa * distance) / tail_index


def learn_quantile(quantile: Floats, exceeds: Floats, rate: Floats) -> None:
    """One step of stochastic approximation (Robbins and Monro 1951) towards the quantile of a view, in place.

    `quantile` and `exceeds` (0 or 1) have shape (V, S); `rate` is relative, 0 where nothing may be learnt.
    """
    quantile *= np.exp(rate * (exceeds - np.float32(BEYOND)))


def learn_index(
    sums: Floats, counts: Floats, distance: Floats, exceeds: Floats, kappa: Floats, weight: Floats
) -> None:
    """Add the log excesses of the points beyond the quantile, in place; all of shape (V, S), `weight` 0 or 1."""
    taken = exceeds * weight
    sums += taken * np.log((1 + kappa * np.maximum(distance, 1)) / (1 + kappa))
    counts += taken
