"""The static model: what is normal by decree."""

from __future__ import annotations

import math

import numpy as np
import pytest

from exporter.models.contract import Settings
from exporter.models.static import Static, middle_and_reach
from tests.models.histories import START

INF = math.inf


def score(value: float, **settings: object) -> float:
    """The score of one value, the first there is."""
    model = Static(Settings(step=60.0, **settings), 1)  # type: ignore[arg-type]
    return float(model.step(START, np.array([value]), np.ones(1, bool)).score[0])


@pytest.mark.parametrize(
    ("value", "expected"),
    [(50, 0), (60, 0.5), (40, 0.5), (70, 1), (30, 1), (50 + 20 * math.e, 2), (50 - 20 * math.e, 2)],
)
def test_the_formula(value: float, expected: float) -> None:
    """0 in the middle, straight to 1 at the ends, and 1 more for each factor e of distance."""
    assert score(value, normal=(30.0, 70.0)) == pytest.approx(expected)


def test_it_scores_the_first_point() -> None:
    """There is nothing to learn, so every series is ready at once."""
    assert Static(Settings(step=60.0, normal=(0.0, 1.0)), 3).ready().all()
    assert score(5.0, normal=(0.0, 1.0)) > 1


@pytest.mark.parametrize(
    ("normal", "domain", "middle", "reach"),
    [
        ((-INF, 200.0), (-INF, INF), 0.0, 200.0),
        ((-INF, 200.0), (50.0, INF), 50.0, 150.0),
        ((-INF, -10.0), (-INF, INF), -20.0, 10.0),
        ((-INF, 0.0), (-INF, INF), -1.0, 1.0),
        ((0.99, INF), (0.0, 1.0), 1.0, 0.01),
        ((20.0, INF), (-INF, INF), 40.0, 20.0),
    ],
)
def test_one_end_alone(
    normal: tuple[float, float], domain: tuple[float, float], middle: float, reach: float
) -> None:
    """The inside reaches to the end of the domain, or as far as the given end is from 0."""
    found = middle_and_reach(Settings(step=60.0, normal=normal, domain=domain))
    assert found == pytest.approx((middle, reach))


def test_the_open_side_is_never_strange() -> None:
    """With only a greatest normal value, small values score 0 and there is no lower end."""
    model = Static(Settings(step=60.0, normal=(-INF, 200.0)), 3)
    step = model.step(START, np.array([-5_000.0, 100.0, 400.0]), np.ones(3, bool))
    assert step.score == pytest.approx([0, 0.5, 1 + math.log(2)])
    assert np.isnan(step.lower).all()
    assert step.upper.tolist() == [200, 200, 200]


def test_the_band_is_what_was_given() -> None:
    """lower and upper are the two ends, and the score is 1 exactly there."""
    model = Static(Settings(step=60.0, normal=(0.2, 0.8)), 2)
    step = model.step(START, np.array([0.2, 0.8]), np.ones(2, bool))
    assert step.lower == pytest.approx([0.2, 0.2])
    assert step.upper == pytest.approx([0.8, 0.8])
    assert step.score == pytest.approx([1, 1])


def test_a_model_that_was_told_nothing_is_refused() -> None:
    """Without an end there is no model."""
    with pytest.raises(ValueError, match=r"needs settings\.normal"):
        Static(Settings(step=60.0), 1)
