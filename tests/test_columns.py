"""Arrays with the series on their last axis."""

from __future__ import annotations

import numpy as np

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
