"""Tests of drift: each compares windows with a reference; the literal map is the only registry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from exporter.drift import jensen_shannon, ks, level, median, movement, psi, spread, wasserstein
from exporter.drift.windows import Windows
from exporter.frame import Floats

MEAN, MOVEMENT = 0, 1


@dataclass(frozen=True, slots=True)
class Test:
    """One test: which feature of an hour it looks at, its statistic, and the least sd that counts (floor)."""

    feature: int
    statistic: Callable[[Windows], Floats]
    floor: float
    held: bool = False


TESTS: dict[str, Test] = {
    "level": Test(MEAN, level.statistic, level.FLOOR, held=True),
    "movement": Test(MOVEMENT, movement.statistic, movement.FLOOR, held=True),
    "median": Test(MEAN, median.statistic, median.FLOOR),
    "spread": Test(MEAN, spread.statistic, spread.FLOOR),
    "ks": Test(MEAN, ks.statistic, ks.FLOOR),
    "wasserstein": Test(MEAN, wasserstein.statistic, wasserstein.FLOOR),
    "psi": Test(MEAN, psi.statistic, psi.FLOOR),
    "jensen_shannon": Test(MEAN, jensen_shannon.statistic, jensen_shannon.FLOOR),
}

COMBINED = ("level", "movement")
"""The score `combined` is the largest of these: together they see every kind of change (docs/drift.md)."""
