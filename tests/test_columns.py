"""Arrays with the series on their last axis."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter import columns

FIELDS: columns.Fields = {"count": (0, np.float32, 0), "slots": (2, np.int64, -1)}


def test_fresh_rows_have_the_fields_values() -> None:
    """Vectors and matrices of the stated type and value."""
    state = columns.fresh(FIELDS, 3)
    assert state["count"].tolist() == [0, 0, 0]
    assert state["slots"].shape == (2, 3)
    assert state["slots"].dtype == np.int64


def test_select_and_put() -> None:
    """Rows move, fresh ones come in for -1, and others can be put over them."""
    state = columns.fresh(FIELDS, 2)
    state["count"][:] = [5, 6]
    columns.select(state, FIELDS, np.array([1, -1, 0]))
    assert state["count"].tolist() == [6, 0, 5]
    other = columns.fresh(FIELDS, 1)
    other["slots"][:] = 9
    columns.put(state, np.array([2]), other)
    assert state["slots"].tolist() == [[-1, -1, 9]] * 2


def test_a_part_changes_the_whole() -> None:
    """What is done to a part in place is done to the state."""
    state = columns.fresh(FIELDS, 4)
    columns.part(state, slice(1, 3))["count"] += 1
    assert state["count"].tolist() == [0, 1, 1, 0]


@given(st.integers(1, 6), st.integers(0, 1_000))
def test_a_memory_is_carried_through_points(points: int, seed: int) -> None:
    """Before each point it holds the last value taken, and after all of them the very last."""
    rng = np.random.default_rng(seed)
    start, values, taken = rng.normal(size=4), rng.normal(size=(points, 4)), rng.random((points, 4)) < 0.6
    memory, expected = start.copy(), [start.copy()]
    for value, mask in zip(values, taken, strict=True):
        expected.append(np.where(mask, value, expected[-1]))
    before = columns.held(memory, values, taken)
    np.testing.assert_array_equal(before, expected[:-1])
    columns.hold(memory, before, values, taken)
    np.testing.assert_array_equal(memory, expected[-1])


@pytest.mark.parametrize("parts", [0, 1, 5])
def test_what_is_combined_point_by_point_is_kept(parts: int) -> None:
    """A running sum and maximum hold the start and what follows on it, as `accumulate` makes them."""
    rng = np.random.default_rng(parts)
    start, added = rng.normal(size=3).astype(np.float32), rng.normal(size=(parts, 3)).astype(np.float32)
    for combined in (np.add, np.maximum):
        whole = combined.accumulate(np.vstack((start, added)))
        np.testing.assert_array_equal(columns.running(combined, start, added), whole)


@pytest.mark.parametrize("parts", [1, 5])
def test_parts_are_added_one_after_the_other(parts: int) -> None:
    """The sum is the one that adding them singly gives, to the last bit."""
    rng = np.random.default_rng(parts)
    total, added = rng.normal(size=50).astype(np.float32), rng.normal(size=(parts, 50)).astype(np.float32)
    expected = total.copy()
    for part in added:
        expected += part
    columns.add_up(total, added)
    np.testing.assert_array_equal(total, expected)
