"""Above the edge, a point counts in full once it is confirmed and when nothing like it was seen."""

from __future__ import annotations

import numpy as np
import pytest

from exporter.models import confirmation
from exporter.models.contract import State

ONE = np.ones(1, np.float32)
RECENT = np.ones(1, bool)


def fresh(last: float = 0.0, record: float = 0.0) -> State:
    return {"last": np.full(1, last, np.float32), "record": np.full(1, record, np.float32)}


def weighed(state: State, score: float, distance: float, side: float = 1.0, strict: float = 1.0) -> float:
    found = np.full(1, score, np.float32)
    confirmation.weigh(state, found, np.full(1, distance, np.float32), side * ONE, RECENT, np.float32(strict))
    return float(found[0])


def test_nothing_up_to_the_edge_moves() -> None:
    """A score of 1 or less is what it was, whatever came before."""
    assert weighed(fresh(record=100.0), 1.0, 1.0) == 1.0
    assert weighed(fresh(record=100.0), 0.4, 1.0) == pytest.approx(0.4)


def test_a_single_strange_point_counts_less_than_a_confirmed_one() -> None:
    """The second of two strange points on one side counts in full; one on the other side confirms nothing."""
    alone, confirmed = weighed(fresh(), 3.0, 5.0), weighed(fresh(last=1.5), 3.0, 5.0)
    assert 1 < alone < confirmed == 3.0
    assert weighed(fresh(last=-1.5), 3.0, 5.0) == pytest.approx(alone)


def test_what_was_seen_before_counts_less() -> None:
    """A value half as far away as the record is less news than one that sets a record."""
    assert 1 < weighed(fresh(2.0, 10.0), 3.0, 5.0) < weighed(fresh(2.0, 10.0), 3.0, 10.0) == 3.0


@pytest.mark.parametrize("record", [0.0, 3.0, 1e6])
def test_more_distance_is_more_score(record: float) -> None:
    """With score and distance rising together, what is left rises too, and never falls below 1."""
    found = [weighed(fresh(0.8, record), 1 + at / 10, at) for at in np.linspace(0.01, 20, 80).tolist()]
    assert found == sorted(found)
    assert found[0] >= 1


def test_a_record_fades() -> None:
    """After its half-life a record is half of what it was, unless it is renewed."""
    state = fresh()
    confirmation.remember(state, ONE, 8 * ONE, ONE, RECENT)
    confirmation.turn(state, confirmation.RECORD_HALF_LIFE, slice(None))
    assert state["record"][0] == pytest.approx(4.0)
    confirmation.remember(state, ONE, ONE, -ONE, RECENT)
    assert state["record"][0] == pytest.approx(4.0)
    assert state["last"][0] == -1


def test_what_may_not_be_learnt_is_not_remembered() -> None:
    """A masked point neither confirms the next nor sets a record."""
    state = fresh(0.2, 1.0)
    confirmation.remember(state, 5 * ONE, 9 * ONE, ONE, ~RECENT)
    assert weighed(state, 3.0, 1.0) == weighed(fresh(0.2, 1.0), 3.0, 1.0)
