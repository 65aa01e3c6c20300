"""When and by how much: planted changes."""

from __future__ import annotations

import numpy as np
import pytest

from exporter.drift.change import change_point, changes
from exporter.drift.hours import HOUR
from exporter.drift.reference import Reference
from tests.drift.planted import WINDOW, filled, hour_of, noise


def found(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Time, shift and ratio at the end of `values`, against what was before their last two days."""
    hours = filled(values)
    past = hours.past()
    reference = Reference.learn(past.until(past.end - 48), WINDOW)
    it = changes(reference, past.last(120))
    return it.time, it.shift, it.movement_ratio


@pytest.mark.parametrize("size", [4.0, -4.0])
def test_a_shift_has_its_time_and_size(size: float) -> None:
    """The moment is right within two hours, the size within a fifth, the movement as before."""
    values = 1000 + 10 * noise(30)
    values[-30 * 6 :] += 10 * size
    time, shift, ratio = found(values)
    began = hour_of(len(values) - 180) * HOUR
    assert np.abs(time - began).max() <= 2 * HOUR
    assert np.allclose(shift, 10 * size, rtol=0.2)
    assert np.allclose(ratio, 1, atol=0.35)


def test_a_change_of_variance_is_a_ratio() -> None:
    """Four times the noise moves four times as much."""
    values = noise(30)
    values[-36 * 6 :] *= 4
    time, _, ratio = found(values)
    assert np.allclose(ratio, 4, rtol=0.3)
    assert np.abs(time - hour_of(len(values) - 216) * HOUR).max() <= 6 * HOUR


def test_the_change_point_is_where_the_mean_changes() -> None:
    """A run of ones after zeros starts where they do, on either side."""
    residual = np.concatenate([np.zeros(20), np.ones(10)])[None, None]
    for sign in (1, -1):
        start, gain = change_point(sign * residual)
        assert (start[0, 0], gain[0, 0]) == (20, 10)


def test_a_series_without_a_past_has_no_change() -> None:
    """Nothing is made up where nothing is known."""
    values = noise(30)
    values[:, 2] = np.nan
    time, shift, ratio = found(values)
    assert np.isnan([time[2], shift[2], ratio[2]]).all()
