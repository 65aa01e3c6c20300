"""The tests of drift on planted series: quiet where nothing changes, loud where something does."""

from __future__ import annotations

import numpy as np
import pytest

from exporter.drift import TESTS
from exporter.drift.jensen_shannon import distance
from exporter.drift.reference import Reference
from exporter.drift.windows import LEVELS, Windows
from tests.drift.planted import DAY, WINDOW, autocorrelated, filled, noise, scores, seasonal

DAYS = 42
CHANGE = 35
QUIET = {
    "noise": noise(DAYS),
    "autocorrelated .9": autocorrelated(DAYS, 0.9),
    "seasonal": seasonal(DAYS),
    "seasonal and autocorrelated": seasonal(DAYS) + autocorrelated(DAYS, 0.9, seed=3),
    "skewed": np.exp(0.3 * seasonal(DAYS)),
    "counts": np.random.default_rng(5).poisson(3, (DAYS * DAY, 8)).astype(float),
    "constant": np.full((DAYS * DAY, 8), 7.0),
}


def changed(values: np.ndarray, kind: str, size: float) -> np.ndarray:
    """`values` with one change at day CHANGE, of `size`."""
    out, row = values.copy(), CHANGE * DAY
    mean = values[:row].mean(axis=0)
    if kind == "level":
        out[row:] += size
    if kind == "ramp":
        out[row:] += size * np.minimum(np.arange(len(out) - row) / (3 * DAY), 1)[:, None]
    if kind == "variance":
        out[row:] += noise(DAYS, values.shape[1], seed=9)[row:] * size
    if kind == "season":
        out[row:] = mean + (out[row:] - mean) * size
    return out


@pytest.mark.parametrize("name", QUIET)
def test_nothing_changed_stays_below_three(name: str) -> None:
    """Noise, autocorrelation, seasons of day and week, skew and counts are no drift for two weeks."""
    found = scores(QUIET[name])
    assert np.nanmax(found["combined"]) < 3
    for test in TESTS:
        assert np.mean(found[test] >= 3) < 0.03, test


def test_a_wandering_series_is_seldom_above_three() -> None:
    """AR(.99) every ten minutes strays for 17 hours at a time; even so a day's shift is seldom called."""
    found = scores(autocorrelated(DAYS, 0.99, series=60))["combined"]
    assert np.mean(found >= 3) < 0.005


@pytest.mark.parametrize(
    ("kind", "base", "moderate", "severe"),
    [
        ("level", "noise", 2.5, 5),
        ("level", "seasonal", 2.5, 5),
        ("level", "autocorrelated .9", 4, 8),
        ("ramp", "seasonal", 3, 6),
        ("variance", "noise", 1.6, 4),
        ("variance", "seasonal", 1.5, 4),
        ("season", "seasonal", 2, 5),
    ],
)
def test_a_change_is_moderate_and_a_larger_one_severe(
    kind: str, base: str, moderate: float, severe: float
) -> None:
    """A planted change passes 3, twice of it 5, within five days; before it there was nothing."""
    for size, limit in ((moderate, 3), (severe, 5)):
        found = scores(changed(QUIET[base], kind, size))["combined"]
        before = (CHANGE - 28) * 4
        assert np.nanmax(found[:before]) < 3
        assert (np.nanmax(found[before : before + 20], axis=0) > limit).mean() > 0.8, (kind, size)


@pytest.mark.parametrize("test", TESTS)
def test_each_test_sees_what_it_is_for(test: str) -> None:
    """A large change of level, or of spread where a test looks at that, is above 3 in its own score."""
    kind, size = ("variance", 9) if test in ("movement", "spread") else ("level", 6)
    found = scores(changed(QUIET["noise"], kind, size))[test]
    assert (np.nanmax(found[(CHANGE - 28) * 4 :], axis=0) > 3).mean() > 0.8


def test_an_outage_of_two_hours_is_no_drift() -> None:
    """Two hours at ten times the level are an anomaly, and leave the combined score below 3."""
    values = QUIET["seasonal"].copy()
    values[CHANGE * DAY : CHANGE * DAY + 12] = 100
    assert np.nanmax(scores(values)["combined"]) < 3


def test_scores_do_not_depend_on_the_unit() -> None:
    """A million times as much of it, around an offset, has the same scores but for the ring's rounding."""
    values = changed(QUIET["noise"], "level", 4)
    one, other = (scores(it)["combined"] for it in (values, 1e6 * values + 1e8))
    assert np.allclose(one, other, atol=0.15)


def test_a_young_series_has_no_score() -> None:
    """Fewer than seven known days of residuals are too few for a reference: absent, not 0."""
    hours = filled(noise(8))
    past = hours.past()
    found = Reference.learn(past.until(past.end - WINDOW), WINDOW).scores(hours.past(WINDOW))
    assert all(np.isnan(score).all() for score in found.values())


def test_a_window_without_points_has_no_score() -> None:
    """A series that has been silent for most of a day is absent."""
    values = noise(30)
    values[-DAY + 20 :, 3] = np.nan
    hours = filled(values)
    past = hours.past()
    found = Reference.learn(past.until(past.end - WINDOW), WINDOW).scores(hours.past(WINDOW))["combined"]
    assert np.isnan(found[3])
    assert np.isfinite(np.delete(found, 3)).all()


def test_what_is_masked_is_left_out() -> None:
    """An outage of two days that may not be learnt changes neither reference nor score."""
    values = noise(35, series=2)
    broken = values.copy()
    broken[20 * DAY : 22 * DAY, 0] += 50
    masked = values.copy()
    masked[20 * DAY : 22 * DAY, 0] = np.nan
    one, other = (scores(it, first=30)["combined"] for it in (broken, masked))
    assert np.nanmax(other) < 3
    assert np.allclose(one[:, 1], other[:, 1])


def test_statistics_of_a_window_like_the_reference_are_small() -> None:
    """A window that holds the reference's own quantiles has no distance from it, in any test."""
    grid = np.linspace(-2, 2, len(LEVELS), dtype=np.float32)[None]
    windows = Windows.of(grid[:, None], grid)
    for name, test in TESTS.items():
        assert test.statistic(windows)[0, 0] < 0.07, name


def test_wasserstein_of_a_moved_window_is_the_move() -> None:
    """Moving every value by 1.5 is a distance of 1.5."""
    grid = np.linspace(-2, 2, len(LEVELS), dtype=np.float32)[None]
    windows = Windows.of(grid[:, None] + np.float32(1.5), grid)
    assert TESTS["wasserstein"].statistic(windows)[0, 0] == pytest.approx(1.5, abs=1e-5)
    assert TESTS["ks"].statistic(windows)[0, 0] == pytest.approx(12 / 32, abs=0.02)


def test_jensen_shannon_is_a_distance() -> None:
    """0 between equals, 1 between strangers, the same both ways."""
    one, other = np.array([1.0, 0, 0]), np.array([0, 0.5, 0.5])
    assert distance(one, one) == 0
    assert distance(one, other) == pytest.approx(1)
    half = np.array([0.5, 0.5, 0])
    assert distance(one, half) == pytest.approx(float(distance(half, one)))


def test_a_reference_has_one_identity() -> None:
    """The same past gives the same hash; one bit more or less gives another."""
    past = filled(noise(30)).past()
    one, two = (Reference.learn(past, WINDOW) for _ in range(2))
    assert one.sha256() == two.sha256()
    two.arrays["scale"][0, 0] *= np.float32(1.001)
    assert one.sha256() != two.sha256()
