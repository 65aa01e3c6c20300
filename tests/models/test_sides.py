"""Each side of the expected value learns a tail of its own."""

from __future__ import annotations

import numpy as np

from exporter import tail
from exporter.models import sides
from exporter.models.contract import State
from exporter.models.seasonal import FIELDS
from exporter.models.views import VIEWS
from tests.models.histories import DAY, daily, fresh, replay, scores, times


def blank() -> State:
    return {name: np.full((FIELDS[name][0], 1), FIELDS[name][2], FIELDS[name][1]) for name in sides.FIELDS}


def law(state: State) -> tuple[np.ndarray, np.ndarray]:
    """Index and slope above and below, (2, VIEWS, 1) each."""
    common = np.full((VIEWS, 1), tail.PRIOR_INDEX, np.float32)
    quantile = np.full((VIEWS, 1), 2.7, np.float32)
    sides.draw(state, common, quantile, slice(None))
    return state["index"].reshape(2, VIEWS, 1), state["slope"].reshape(2, VIEWS, 1)


def test_sides_that_are_alike_have_the_common_law() -> None:
    """Before anything is known, above and below are the same."""
    index, slope = law(blank())
    assert np.array_equal(index[0], index[1])
    assert np.array_equal(slope[0], slope[1])


def test_a_heavy_side_makes_its_own_tail_heavier() -> None:
    """Far exceedances above, none below: above, the index grows and the quantile lies farther out."""
    state = blank()
    up, one = np.full((1, VIEWS, 1), 5.0), np.ones((1, VIEWS, 1), np.float32)
    for _ in range(200):
        sides.learn(state, up, one, 0.6 * one)
    index, slope = law(state)
    assert (index[0] > 1.5 * index[1]).all()
    assert (slope[0] / np.expm1(tail.BODY * index[0]) < slope[1] / np.expm1(tail.BODY * index[1])).all()


def test_one_exceedance_has_a_bounded_influence() -> None:
    """A single outage, however far, moves the index of its side only a little."""
    state = blank()
    one = np.ones((1, VIEWS, 1), np.float32)
    sides.learn(state, -one, one, 50 * one)
    index, _ = law(state)
    assert (index[1] < 1.1 * index[0]).all()


def test_skewed_noise_gets_a_wider_band_on_its_long_side() -> None:
    """Where bursts go upwards only, the same distance below is stranger than above."""
    values = daily(8 * DAY, 2)
    values += np.random.default_rng(1).exponential(6.0, values.shape)
    model = fresh("seasonal", 2)
    replay(model, times(8 * DAY), values)
    at = times(8 * DAY + 1)[-1:]
    centre = daily(8 * DAY + 1, 2, noise=0.0)[-1:] + 6.0
    found = scores(replay(model, at, centre + np.array([45.0, -45.0]), learn=False))[0]
    assert found[1] > 1.2 * found[0]
