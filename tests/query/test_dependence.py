"""Whether a past comes back to its level, and how much of it is news."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from statsmodels.tsa.stattools import adfuller

from exporter.query.dependence import FEWEST, LAGS, independent, known, returns, without_day

HOURS = 719


def related(share: float, series: int = 1, seed: int = 0) -> np.ndarray:
    """(HOURS, series) of which each hour keeps `share` of the one before; 1 is a random walk."""
    rng = np.random.default_rng(seed)
    values = np.zeros((HOURS + 500, series))
    for i in range(1, len(values)):
        values[i] = share * values[i - 1] + rng.normal(0, 1, series)
    return values[500:]


@pytest.mark.parametrize("share", [0.0, 0.7, 0.97, 1.0])
def test_the_statistic_is_that_of_the_textbook(share: float) -> None:
    """Statistic and limit are those of statsmodels with the same number of lags."""
    values = related(share)[:, 0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        statistic, _, _, _, limits = adfuller(values, maxlag=LAGS, autolag=None)
    assert returns(values) == pytest.approx(statistic / limits["5%"], rel=1e-3)


def test_noise_returns_and_a_walk_does_not() -> None:
    """Nearly all of what returns is found, and a walk is mistaken in about one case of twenty."""
    assert np.mean([returns(it) > 1 for it in related(0.7, 50).T]) > 0.9
    assert np.mean([returns(it) > 1 for it in related(1.0, 100).T]) < 0.12


def test_a_gap_is_bridged_by_nothing() -> None:
    """Hours beside a gap are left out; where too few are left nothing is said."""
    values = related(0.5)[:, 0]
    values[300:340] = np.nan
    assert returns(values) > 1
    values[::20] = np.nan
    assert np.isnan(returns(values))


@pytest.mark.parametrize(("share", "worth"), [(0.0, 1.0), (0.5, 1 / 3), (0.8, 1 / 9)])
def test_related_hours_are_worth_less(share: float, worth: float) -> None:
    """An hour that keeps a share of the one before is worth (1 - share) / (1 + share)."""
    found = np.median(independent(related(share, 50)))
    assert found == pytest.approx(worth * HOURS, rel=0.2)


def test_missing_hours_are_worth_nothing() -> None:
    """Half of the hours of a noise are half of its worth."""
    values = related(0.0, 50)
    values[::2] = np.nan
    assert np.median(independent(values)) == pytest.approx(HOURS / 2, rel=0.2)


def test_the_day_is_taken_out() -> None:
    """A wave of a day, at any hour of beginning, leaves the noise alone; gaps stay gaps."""
    noise = related(0.0, 3)
    wave = 50 * np.sin(2 * np.pi * np.arange(HOURS) / 24)[:, None]
    wave[100] = np.nan
    left = without_day(noise + wave)
    assert len(left) == HOURS // 24 * 24
    assert np.isnan(left[100 - HOURS % 24]).all()
    assert np.nanstd(left) == pytest.approx(1, abs=0.1)
    assert np.median(independent(left)) > 0.6 * HOURS


def test_what_stands_still_or_is_young_is_not_known() -> None:
    """A constant has no statistic, nor has a series with a few days of past."""
    values = np.column_stack((np.zeros(HOURS), related(0.5)[:, 0], related(0.5)[:, 0]))
    values[: HOURS - FEWEST + 1, 2] = np.nan
    assert known(values).tolist() == [False, True, False]
