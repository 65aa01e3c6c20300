"""The online autoregression finds what drives a series, and stays sound."""

from __future__ import annotations

import numpy as np
import pytest

from exporter.models import autoregression
from exporter.models.contract import State


def fresh(series: int) -> State:
    fields = autoregression.FIELDS
    return {
        name: np.full((rows, series) if rows else series, value, kind)
        for name, (rows, kind, value) in fields.items()
    }


def follow(state: State, deviations: np.ndarray, scale: float = 1.0) -> np.ndarray:
    """Feed deviations (points, series); the errors of the predictions."""
    everyone = np.ones(deviations.shape[1], bool)
    errors = np.empty_like(deviations)
    for i, deviation in enumerate(deviations.astype(np.float32)):
        errors[i] = deviation - autoregression.predict(state)
        autoregression.learn(
            state,
            errors[i].astype(np.float32),
            np.float32(scale) + 0 * deviation,
            everyone.astype(np.float32),
        )
        autoregression.remember(state, deviation, everyone, everyone)
    return errors


def process(first: float, second: float, points: int, series: int, scale: float = 1.0) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, scale, (points, series))
    values = np.zeros((points, series))
    for i in range(2, points):
        values[i] = first * values[i - 1] + second * values[i - 2] + noise[i]
    return values


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e9])
def test_coefficients_are_found_at_any_scale(scale: float) -> None:
    """After some thousand points the coefficients are those of the process."""
    state = fresh(5)
    follow(state, process(1.2, -0.4, 4_000, 5, scale), scale)
    assert np.allclose(state["coefficient"], [[1.2], [-0.4]], atol=0.12)


def test_predictions_beat_the_last_value() -> None:
    """On such a process the errors are smaller than the steps."""
    values = process(1.2, -0.4, 4_000, 5)
    errors = follow(fresh(5), values)
    assert errors[1_000:].std() < 0.9 * np.diff(values, axis=0)[1_000:].std()


def test_flat_series_and_jumps_keep_it_sound() -> None:
    """Long constancy and huge jumps leave everything finite and within bounds."""
    values = np.zeros((6_000, 3))
    values[3_000:, 0] = 1e12
    values[::500, 1] = -1e15
    state = fresh(3)
    follow(state, values)
    assert all(np.isfinite(array).all() for array in state.values())
    assert (np.abs(state["covariance"]) <= np.sqrt(state["variance"].prod(axis=0)) * 1.001).all()


def test_after_a_gap_the_lags_start_again() -> None:
    """Where the last point is not recent, both lags become the new deviation."""
    state = fresh(2)
    follow(state, np.ones((3, 2)))
    recent, everyone = np.array([True, False]), np.ones(2, bool)
    autoregression.remember(state, np.array([5.0, 5.0], np.float32), recent, everyone)
    assert state["lag"].tolist() == [[5, 5], [1, 5]]
