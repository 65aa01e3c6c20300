"""Which points of a past are taken in together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.calendars.exclusions import Treatment
from exporter.query.stretches import HALF_HOUR, MOST, VALUES, stretches, together_at_most

USUAL = Treatment(np.ones(1, bool))


@given(
    st.integers(0, 10**6),
    st.sampled_from([15, 60, 300, 420, 1_800, 3_600]),
    st.integers(0, 60),
    st.integers(1, 8),
)
def test_every_point_lies_in_one_stretch(start: int, step: int, points: int, most: int) -> None:
    """Stretches follow each other without gap, none is longer than told, and only ends begin half hours."""
    times = [start * step + step * i for i in range(points)]
    found = [times[of] for of, _ in stretches(times, step, lambda _: USUAL, most)]
    assert [time for stretch in found for time in stretch] == times
    assert all(1 <= len(stretch) <= most for stretch in found)
    begins = [time // HALF_HOUR != (time - step) // HALF_HOUR for stretch in found for time in stretch[:-1]]
    assert not any(begins)


def test_a_half_hour_is_one_stretch() -> None:
    """At 5 minutes its six points go together: five of it, and the first of the next."""
    times = list(range(300, 7_201, 300))
    assert [len(times[of]) for of, _ in stretches(times, 300, lambda _: USUAL, MOST)] == [6, 6, 6, 6]


def test_a_stretch_is_treated_alike() -> None:
    """Where a calendar begins or ends, a new stretch begins."""
    calendar = Treatment(np.zeros(1, bool))
    times = list(range(60, 1_801, 60))
    found = list(stretches(times, 60, lambda time: calendar if 300 <= time < 420 else USUAL, 30))
    assert [(times[of][0], taken is calendar) for of, taken in found] == [
        (60, False),
        (300, True),
        (420, False),
    ]


@pytest.mark.parametrize(
    ("series", "points"), [(0, MOST), (1, MOST), (VALUES // 4, 4), (VALUES, 1), (10**6, 1)]
)
def test_many_series_go_point_by_point(series: int, points: int) -> None:
    """As many values are taken in at once as the cache can hold, and at least one point."""
    assert together_at_most(series) == points
