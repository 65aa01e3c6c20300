"""What a query's settings make of scores and bands: the watched side, the least deviation, the domain."""

from __future__ import annotations

import numpy as np

from exporter.frame import Floats, Mask
from exporter.models.contract import Settings


def watched(settings: Settings, score: Floats, above: Mask) -> Floats:
    """0 on the side that is not watched; `above` (S,): whether the value is above the expected one."""
    if settings.direction == "both":
        return score
    side: Floats = score * (above if settings.direction == "up" else ~above)
    return side


def least_deviation(settings: Settings, expected: Floats) -> Floats | None:
    """The distance from `expected` (S,) below which nothing is strange; None where none is configured."""
    if not settings.minimum_deviation and not settings.minimum_relative_deviation:
        return None
    relative = settings.minimum_relative_deviation * np.abs(expected)
    least: Floats = np.maximum(settings.minimum_deviation, relative)
    return least


def large_enough(score: Floats, distance: Floats, least: Floats | None) -> Floats:
    """`score` (S,), but below 1 where `distance`, whatever its sign, is below `least`."""
    if least is None:
        return score
    distance = np.abs(distance)
    share = distance / np.maximum(least, distance * 1e-6 + 1e-30)
    bounded: Floats = np.minimum(score, share)
    return bounded


def within(settings: Settings, expected: Floats) -> Floats:
    """`expected` kept in the domain."""
    low, high = settings.domain
    return expected if low == -np.inf and high == np.inf else np.clip(expected, low, high)


def draw(settings: Settings, out: Floats, x: Floats, expected: Floats, above: Floats, below: Floats) -> None:
    """Fill lower and upper of `out` (5, S); a side that is not watched, or has no end, is NaN.

    `above`, `below` (S,): how far from `expected` the score reaches 1. Where rounding would put the value `x`
    on the wrong side of an end, the end moves to the value.
    """
    low, high = settings.domain
    out[3] = low if settings.direction == "up" else expected - below
    out[4] = high if settings.direction == "down" else expected + above
    np.clip(out[3:], low, high, out=out[3:])
    out[3:][np.isinf(out[3:])] = np.nan
    calm = ~(out[0] > 1)
    np.copyto(out[4], x, where=(x > out[4]) & calm)
    np.copyto(out[3], x, where=(x < out[3]) & calm)
