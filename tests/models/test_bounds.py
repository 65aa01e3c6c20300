"""What settings make of scores and bands."""

from __future__ import annotations

import numpy as np
import pytest

from exporter.models import bounds
from exporter.models.contract import Settings


def test_only_the_watched_side_scores() -> None:
    """The other side is 0; with both watched nothing changes."""
    score, above = np.array([2.0, 3.0]), np.array([True, False])
    assert bounds.watched(Settings(60.0), score, above).tolist() == [2, 3]
    assert bounds.watched(Settings(60.0, direction="up"), score, above).tolist() == [2, 0]
    assert bounds.watched(Settings(60.0, direction="down"), score, above).tolist() == [0, 3]


def test_the_larger_least_deviation_counts() -> None:
    """Absolute and relative least deviations: whichever is farther from the expected value."""
    settings = Settings(60.0, minimum_deviation=5.0, minimum_relative_deviation=0.1)
    least = bounds.least_deviation(settings, np.array([10.0, -200.0]))
    assert least is not None
    assert least.tolist() == [5, 20]
    assert bounds.least_deviation(Settings(60.0), np.array([10.0])) is None


def test_small_deviations_stay_below_one() -> None:
    """A high score is held below 1 in proportion to the distance, and left alone beyond it."""
    score = bounds.large_enough(np.array([3.0, 3.0, 0.2]), np.array([5.0, 40.0, 9.0]), np.full(3, 10.0))
    assert score == pytest.approx([0.5, 3, 0.2])


def test_the_band_is_drawn_in_the_domain() -> None:
    """Ends stop at the domain, an end at infinity is absent, and a calm value is never outside."""
    out = np.zeros((5, 2))
    expected, far = np.array([1.0, 1.0]), np.array([5.0, np.inf])
    bounds.draw(Settings(60.0, domain=(0.0, np.inf)), out, np.array([6.5, 1.0]), expected, far, far)
    assert out[3].tolist() == [0, 0]
    assert out[4, 0] == 6.5
    assert np.isnan(out[4, 1])
