"""What the views of the default model tell of the last value."""

from __future__ import annotations

import numpy as np
import pytest

from exporter.models.auto import Auto
from exporter.models.contract import Settings
from exporter.models.seasonal import CHUNK, Seasonal
from exporter.models.views import NAMES
from tests.curves import daily

STEP = 600
SETTINGS = Settings(step=STEP)
DAYS = 4 * 86_400


def after_a_jump(model: Seasonal | Auto, seconds: int) -> float:
    """Let it learn two series, the second of which is ten times its value at last; what was usual then."""
    times = np.arange(0, seconds, STEP)
    curve = daily()(np.append(times, seconds))
    for time, value in zip(times.tolist(), curve.tolist(), strict=False):
        model.step(time, np.array([value, value]), np.ones(2, bool))
    model.step(seconds, np.array([curve[-1], 10 * curve[-1]]), np.ones(2, bool))
    return float(curve[-1])


def test_a_strange_value_is_evidence_in_every_view() -> None:
    """After a jump each view expected what was before it; of a usual value there is little to tell."""
    model = Seasonal(SETTINGS, 2)
    usual = after_a_jump(model, DAYS)
    assert tuple(model.told()) == NAMES
    for expected, evidence in model.told().values():
        np.testing.assert_allclose(expected, usual, rtol=0.25)
        assert evidence[1] > 3 * evidence[0] >= 0


@pytest.mark.parametrize("seconds", [12 * 3_600, DAYS])
def test_the_views_are_told_only_where_the_default_model_judges(seconds: int) -> None:
    """Under auto, a series that another model judges has none."""
    model = Auto(SETTINGS, 2)
    after_a_jump(model, seconds)
    for expected, _ in model.told().values():
        np.testing.assert_array_equal(np.isfinite(expected), model.choices()[1] == 0)


def test_nothing_is_told_before_the_first_value() -> None:
    """A fresh model has looked at nothing."""
    assert Seasonal(SETTINGS, 3).told() == {}


def test_many_series_are_told_of_in_their_order() -> None:
    """More series than one chunk holds come back as one."""
    model, values = Seasonal(SETTINGS, CHUNK + 2), np.arange(CHUNK + 2, dtype=float)
    for time in (0, STEP):
        model.step(time, values, np.ones(len(values), bool))
    np.testing.assert_allclose(model.told()["usual"][0], values, atol=1e-6)
