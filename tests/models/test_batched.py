"""Points that are taken in together leave the same scores and the same state as one after the other."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from exporter.models.contract import Batched, Model, Scores
from tests.models.histories import DAY, daily, fresh, times


def messy(points: int, series: int) -> np.ndarray:
    """Gaps, late births, outliers, shifts and a constant among lifelike series."""
    values, rng = daily(points, series, noise=3.0), np.random.default_rng(5)
    values[rng.random(values.shape) < 0.03] = np.nan
    values[rng.random(values.shape) < 0.01] *= 3
    values[: points // 3, 1] = np.nan
    values[points // 2 :, 2] += 60
    values[:, 3] = 7.0
    values[points // 2 : points // 2 + 40, 4] = np.nan
    values[points // 4, 5] = 1e300
    return values


def pieces(points: int) -> list[slice]:
    """Cuts at odd places, up to ten points each, some of them across several half hours."""
    ends = np.cumsum(np.random.default_rng(1).integers(1, 11, points))
    ends = [0, *ends[ends < points].tolist(), points]
    return [slice(begin, end) for begin, end in itertools.pairwise(ends)]


@pytest.mark.parametrize(
    "settings", [{}, {"direction": "up", "minimum_deviation": 5.0}, {"domain": (0.0, 150.0)}]
)
@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu"])
def test_together_is_one_after_the_other(zone: str, settings: dict[str, object]) -> None:
    """However the points are cut, scores and state are the same to the last bit; a band is drawn at ends."""
    values, at = messy(6 * DAY, 8), times(6 * DAY)
    learn, strictness = np.arange(8) != 6, np.linspace(0.5, 2, 8)
    one, other = fresh("seasonal", 8, zone=zone, **settings), fresh("seasonal", 8, zone=zone, **settings)
    assert isinstance(other, Batched)
    for of in pieces(len(values)):
        singly = [
            one.step(time, row, learn, strictness=strictness)
            for time, row in zip(at[of].tolist(), values[of], strict=True)
        ]
        together = other.steps(at[of].tolist(), values[of], learn, strictness=strictness)
        for point, step in enumerate(singly):
            same(together.at(point), step, band=point == len(singly) - 1)
    unchanged(one, other)


def test_sundays_hold_for_all_points() -> None:
    """Who stands in Sunday's hours does so at each of the points taken in together."""
    values, at = daily(3 * DAY, 4), times(3 * DAY)
    sunday, learn = np.array([True, False, True, False]), np.ones(4, bool)
    one, other = fresh("seasonal", 4), fresh("seasonal", 4)
    assert isinstance(other, Batched)
    for begin in range(0, len(values), 6):
        of = slice(begin, begin + 6)
        for time, row in zip(at[of].tolist(), values[of], strict=True):
            one.step(time, row, learn, sunday=sunday)
        other.steps(at[of].tolist(), values[of], learn, sunday=sunday)
    unchanged(one, other)


def same(found: Scores, expected: Scores, band: bool) -> None:
    """Compare bit for bit; without a band its ends are NaN."""
    for name in ("score", "deviation", "expected"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)
    for name in ("lower", "upper"):
        ends = getattr(expected, name) if band else np.full_like(found.lower, np.nan)
        np.testing.assert_array_equal(getattr(found, name), ends, err_msg=name)


def unchanged(one: Model, other: Model) -> None:
    """All that is known is the same."""
    for name, array in one.state.items():
        np.testing.assert_array_equal(other.state[name], array, err_msg=name)
