"""When a reference is learnt anew, and how long a change stays visible."""

from __future__ import annotations

import numpy as np
import pytest

from exporter.drift.reference import Reference
from exporter.drift.renewal import HELD, is_due, renewed
from tests.drift.planted import DAY, WINDOW, filled, noise, scores

CHANGE = 33


def shifted(days: int) -> np.ndarray:
    """Noise whose first series is 6 sds higher from day CHANGE on."""
    values = noise(days, series=2)
    values[CHANGE * DAY :, 0] += 6
    return values


def test_a_change_stays_visible_for_days_and_is_then_accepted() -> None:
    """A lasting shift is severe for most of a week, and normal two weeks later; its twin never drifts."""
    found = scores(shifted(CHANGE + 15), first=CHANGE)["combined"]
    severe = found[:, 0] > 5
    assert severe[4 : 4 * 6].all()
    assert (found[-4:, 0] < 3).all()
    assert (found[:, 1] < 3).all()


def test_only_what_drifts_keeps_its_reference() -> None:
    """The series that shifted is measured against its old past, the other against the new one."""
    values = shifted(CHANGE + 1)
    before, after = (filled(it).past() for it in (values[: CHANGE * DAY], values))
    old = renewed(None, before, WINDOW)
    new = renewed(old, after, WINDOW)
    assert new.arrays["learnt"].tolist() == [old.end, new.end]
    fresh = Reference.learn(after.until(after.end - WINDOW), WINDOW)
    for name, array in new.arrays.items():
        assert np.array_equal(array[..., 0], old.arrays[name][..., 0], equal_nan=True), name
        assert np.array_equal(array[..., 1], fresh.arrays[name][..., 1], equal_nan=True), name


def test_learning_leaves_the_past_as_it_was() -> None:
    """What is kept of the old reference does not move the values that are compared with it."""
    values = 1000 + shifted(CHANGE + 1)
    old = renewed(None, filled(values[: CHANGE * DAY]).past(), WINDOW)
    past = filled(values).past()
    anchor, unit = past.anchor.copy(), past.unit.copy()
    renewed(old, past, WINDOW)
    assert np.array_equal(past.anchor, anchor)
    assert np.array_equal(past.unit, unit)


@pytest.mark.parametrize(
    ("window", "hour", "due"), [(24, 1047, False), (24, 1048, True), (12, 1030, True), (24, 900, True)]
)
def test_a_reference_is_due_by_its_age_and_window(window: int, hour: int, due: bool) -> None:
    """A day after its end, for another window, or when the clock went back; else it serves."""
    reference = Reference(1000, 24, {})
    assert is_due(reference, window, 24, hour) is due
    assert is_due(None, window, 24, hour)


def test_a_change_is_held_for_less_than_the_week_of_like_hours() -> None:
    """After a week the like hours are those after the change, and nothing would be left to hold."""
    assert 0 < HELD < 7 * 24
