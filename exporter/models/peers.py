"""Compared with its peers: how far a series is from the middle of its group at the same time."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from exporter.columns import Fields
from exporter.frame import Floats, Mask, Rows
from exporter.models.chain import LARGEST_VALUE
from exporter.models.contract import Settings, State
from exporter.models.idea import Lesson, Now, gain
from exporter.models.residual import Residual

FEWEST = 5
"""A group with fewer members that have a point now has no scores."""

SPREAD_MEMORY = 3_600.0
NORMAL_DEVIATION = 1.4826
"""The standard deviation of normal noise, in median absolute deviations."""

TYPICAL = 0.8
"""The mean absolute deviation of normal noise, in standard deviations."""

_RESOLUTION = 1e-6
_SMALLEST = 1e-12


def medians(values: Floats, groups: Rows, count: int) -> Floats:
    """The median of the finite `values` (S,) of each group 0..count-1; NaN where a group has none."""
    known = np.flatnonzero(values == values)
    order = known[np.lexsort((values[known], groups[known]))]
    size = np.bincount(groups[known], minlength=count)
    start = np.cumsum(size) - size
    out = np.full(count, np.nan)
    some = size > 0
    low, high = (start + (size - 1) // 2)[some], (start + size // 2)[some]
    ordered = values[order]
    out[some] = (ordered[low] + ordered[high]) / 2
    return out


class Peers(Residual):
    """The group's median is expected, its median absolute deviation the unit; nothing is learnt first."""

    own: ClassVar[Fields] = {"fleet_spread": (0, np.float32, 0), "scale": (1, np.float32, TYPICAL)}
    edge = 7.5
    scales = False

    def __init__(self, settings: Settings, rows: int = 0) -> None:
        """A model of `rows` fresh series, all of one group."""
        super().__init__(settings, rows)
        self._groups = np.zeros(rows, np.intp)
        self._centre: Floats = np.zeros(rows)
        self._spread: Floats = np.zeros(rows, np.float32)

    def compare(self, groups: Rows) -> None:
        """Compare each series only with those of the same number in `groups` (S,), from now on."""
        self._groups = groups

    def ready(self) -> Mask:
        """Which series have FEWEST members in their group."""
        return np.asarray(np.bincount(self._groups, minlength=1)[self._groups] >= FEWEST)

    def select(self, rows: Rows) -> None:
        """Rearrange as every model does; a fresh series is of group 0 until `compare` says otherwise."""
        super().select(rows)
        self._groups = np.where(rows >= 0, np.append(self._groups, 0)[rows], 0)

    def observe(self, values: Floats) -> None:
        """Each group's median and spread now, by row; NaN where too few members have a point."""
        groups = self._groups
        count = int(groups.max(initial=0)) + 1
        x = np.where(np.abs(values) < LARGEST_VALUE, values, np.nan)
        members = np.bincount(groups[x == x], minlength=count)
        centre = medians(x, groups, count)
        spread = medians(np.abs(x - centre[groups]), groups, count)
        spread *= NORMAL_DEVIATION * (1 + 2 / np.maximum(members, 1))
        spread = np.maximum(spread, np.abs(centre) * _RESOLUTION + _SMALLEST)
        centre[members < FEWEST] = np.nan
        self._centre = centre[groups]
        self._spread = np.where(members < FEWEST, 1, spread).astype(np.float32)[groups]

    def expect(self, now: Now) -> Floats:
        """The median of the group; the unit is its spread, now or as it has been lately."""
        now.spans = np.maximum(self._spread[now.of], now.state["fleet_spread"])[None]
        return self._centre[now.of]

    def learn(self, now: Now, lesson: Lesson) -> None:
        """Follow the spread of the group."""
        followed = now.state["fleet_spread"]
        share = gain(lesson.weight, lesson.young, now.step, SPREAD_MEMORY)
        followed += share * (self._spread[now.of] - followed)

    def known(self, state: State) -> Mask:
        """Every series: nothing has to be learnt first."""
        return np.ones(len(state["count"]), bool)
