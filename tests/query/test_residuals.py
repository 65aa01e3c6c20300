"""The recent signed scores of a query's series, and the ring of their past."""

from __future__ import annotations

import numpy as np
import pytest

from exporter.query.residuals import REMEMBERED, SLOT, SMOOTHING, Residuals, bounded

STEP = 300


def stepped(values: np.ndarray, step: int = STEP, start: int = 0) -> Residuals:
    """Residuals after the signed scores `values` (points, series)."""
    it = Residuals(step, values.shape[1])
    for i, row in enumerate(values):
        it.step(start + i * step, np.abs(row), row)
    return it


def test_a_score_is_bounded_but_never_flat() -> None:
    """Up to the edge a score counts as it is, beyond it by its logarithm."""
    found = bounded(np.array([0.0, 0.5, 1.0, np.e, 1e6, np.nan]))
    np.testing.assert_allclose(found, [0, 0.5, 1, 2, 1 + np.log(1e6), np.nan])


def test_a_residual_is_the_mean_of_the_last_points_with_their_sign() -> None:
    """A lasting score is reached within some points, and opposite signs cancel."""
    lasting = stepped(np.full((12, 1), -0.8))
    assert lasting.state["residual"][0] == pytest.approx(-0.8, abs=0.01)
    assert stepped(np.full((1, 1), 0.8)).state["residual"][0] == pytest.approx(0.8 * SMOOTHING)
    changing = stepped(np.array([[0.8], [-0.8]] * 20))
    assert abs(changing.state["residual"][0]) < 0.2


def test_nothing_is_remembered_across_a_gap() -> None:
    """A missing point is a missing residual, and after it the mean starts again."""
    it = stepped(np.array([[2.0], [2.0], [np.nan]]))
    assert np.isnan(it.state["residual"][0])
    it.step(3 * STEP, np.array([0.4]), np.array([1.0]))
    assert it.state["residual"][0] == pytest.approx(0.4 * SMOOTHING)


def test_the_ring_gives_back_what_was_there() -> None:
    """The first point of each quarter hour is remembered, to a few hundredths."""
    values = np.random.default_rng(0).normal(0, 0.5, (90, 4))
    expected = []
    it = Residuals(STEP, 4)
    for i, row in enumerate(values):
        it.step(i * STEP, np.abs(row), row)
        if i % 3 == 0:
            expected.append(it.state["residual"].copy())
    np.testing.assert_allclose(it.at(np.arange(30)), expected, atol=0.02)


def test_slots_that_are_not_remembered_are_missing() -> None:
    """The future, what is older than the ring, and what was skipped are NaN."""
    it = stepped(np.ones((3, 1)))
    assert np.isnan(it.at(np.array([-1, 1, REMEMBERED]))).all()
    later = (REMEMBERED + 5) * SLOT
    it.step(later, np.ones(1), np.ones(1))
    found = it.at(np.arange(later // SLOT - REMEMBERED, later // SLOT + 1))
    assert np.isfinite(found).sum() == 1
    assert np.isnan(Residuals(STEP, 2).at(np.arange(3))).all()


def test_a_point_of_a_long_step_speaks_until_the_next() -> None:
    """Hourly series have a residual in each quarter of the hour."""
    it = stepped(np.full((5, 1), 0.5), step=3_600)
    assert np.isfinite(it.at(np.arange(16))).all()


def test_series_come_and_go_with_their_past() -> None:
    """Rearranged series keep their ring; new ones have none; joined ones bring their own."""
    it, other = stepped(np.array([[1.0, -1.0]] * 10)), stepped(np.full((10, 1), 0.5))
    it.select(np.array([1, -1]))
    it.put(np.array([1]), other)
    found = it.at(np.arange(3))
    assert (found[:, 0] < 0).all()
    np.testing.assert_allclose(found[:, 1], other.at(np.arange(3))[:, 0])
