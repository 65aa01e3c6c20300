"""What a scorer has learnt is stored and comes back, and is used only where it fits."""

import numpy as np

from exporter.cycle.persistence import restore, saved
from tests.curves import DAY
from tests.scorers import NOW, STEP, scorer, scores, services, turn


def test_saved_state_needs_only_the_gap() -> None:
    """A restart goes on where it stood: only the points since then are read."""
    tsdb = services("a", "b")
    before = scorer(tsdb)
    turn(before, NOW)
    state = saved(before)
    assert state is not None
    after = scorer(tsdb)
    assert restore(after, state, NOW)
    tsdb.asked.clear()
    turn(after, NOW + 3 * STEP)
    starts = {form["start"] for path, form in tsdb.asked if path.endswith("query_range")}
    assert [float(start) for start in starts] == [NOW + STEP]
    for _ in range(3):
        turn(before, NOW + 3 * STEP)
    assert scores(after) == scores(before)


def test_state_of_another_expression_is_not_used() -> None:
    """What was learnt for one expression says nothing about another."""
    tsdb = services("a")
    before = scorer(tsdb)
    turn(before, NOW)
    state = saved(before)
    assert state is not None
    assert not restore(scorer(tsdb, expr="other"), state, NOW)


def test_saved_scores_stay_with_their_series() -> None:
    """What was exposed is restored to the same series, whoever came and went in the same turn."""
    tsdb = services("a", "b", "c")
    before = scorer(tsdb)
    turn(before, NOW)
    shown = scores(before)
    before.series.keep(np.array([1, 2]))
    state = saved(before)
    assert state is not None
    after = scorer(tsdb)
    assert restore(after, state, NOW)
    assert scores(after) == {name: shown[name] for name in ("b", "c")}


def test_state_from_the_future_is_not_used() -> None:
    """A file that was written under a wrong clock says nothing about now."""
    tsdb = services("a")
    before = scorer(tsdb)
    turn(before, NOW)
    state = saved(before)
    assert state is not None
    assert not restore(scorer(tsdb), state, NOW - DAY)


def test_other_groups_are_other_learning() -> None:
    """State that was learnt by another `peers_by` or model is not used."""
    tsdb = services(*"abcdef")
    it = scorer(tsdb, model="peers")
    turn(it, NOW)
    kept = saved(it)
    assert kept is not None
    assert restore(scorer(tsdb, model="peers"), kept, NOW)
    assert not restore(scorer(tsdb, model="peers", peers_by=["zone"]), kept, NOW)
    assert not restore(scorer(tsdb, model="quantile"), kept, NOW)
