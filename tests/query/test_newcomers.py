"""Series that come and go: newcomers learn their own past, those gone are forgotten, limits are kept."""

import httpx
import numpy as np
import pytest

from exporter.tsdb.errors import TsdbError
from tests.curves import DAY, between, daily
from tests.scorers import NOW, STEP, query, scorer, scores, services, turn


def test_a_newcomer_is_scored_by_its_own_history() -> None:
    """A series never seen before is scored in the next turn, as if it had been there all along."""
    tsdb = services("a")
    it = scorer(tsdb)
    turn(it, NOW)
    tsdb.series["rate"].append(({"service": "late"}, daily(7)))
    turn(it, NOW + STEP)
    assert set(scores(it)) == {"a"}
    turn(it, NOW + 2 * STEP)
    assert set(scores(it)) == {"a", "late"}
    whole = scorer(tsdb)
    turn(whole, NOW + 2 * STEP)
    assert scores(it)["late"] == pytest.approx(scores(whole)["late"], abs=0.1)


def test_a_newborn_series_is_learning() -> None:
    """A series without enough history of its own has no score, and is counted as learning."""
    tsdb = services("a")
    tsdb.series["rate"].append(({"service": "young"}, between(daily(3), NOW - 3 * STEP, np.inf)))
    it = scorer(tsdb)
    turn(it, NOW)
    assert set(scores(it)) == {"a"}
    assert it.counts == {"scored": 1, "learning": 1, "missing": 0, "paused": 0}


def test_a_newcomer_that_cannot_be_read_harms_nobody() -> None:
    """While the history of a newcomer fails, the others go on being scored."""
    tsdb = services("a")
    it = scorer(tsdb)
    turn(it, NOW)
    tsdb.series["rate"].append(({"service": "late"}, daily(7)))
    it.advance(NOW + STEP)
    tsdb.trouble = lambda _: httpx.Response(422, json={"status": "error", "error": "no"})
    with pytest.raises(TsdbError):
        it.meet()
    tsdb.trouble = None
    assert set(scores(it)) == {"a"}


def test_newcomers_that_were_long_in_coming_join_level() -> None:
    """Newcomers whose history took several cycles to read are brought to the present before they join."""
    tsdb = services("a")
    it, steady = scorer(tsdb), scorer(tsdb)
    turn(it, NOW)
    tsdb.series["rate"].append(({"service": "late"}, daily(7)))
    it.advance(NOW + STEP)
    it.meet()
    it.time = NOW + STEP
    it.newcomers.time = NOW  # type: ignore[union-attr]
    it.newcomers.series.roster.last_seen[:] = 0  # type: ignore[union-attr]
    assert it.awaits_newcomers()
    it.meet()
    assert not it.awaits_newcomers()
    turn(it, NOW + 2 * STEP)
    turn(steady, NOW + 2 * STEP)
    assert set(scores(it)) == {"a", "late"}


def test_an_always_nan_series_is_no_newcomer() -> None:
    """A ratio of nothing by nothing is not asked for its history again and again."""
    tsdb = services("a")
    tsdb.series["rate"].append(({"service": "idle"}, lambda times: np.full(len(times), np.inf)))
    it = scorer(tsdb)
    turn(it, NOW)
    tsdb.asked.clear()
    turn(it, NOW + STEP)
    turn(it, NOW + 2 * STEP)
    assert tsdb.count("/query_range") == 0
    assert set(scores(it)) == {"a"}


def test_an_old_series_with_a_hole_an_hour_ago_keeps_its_past() -> None:
    """Whether a newcomer has a longer past is not decided by one missing sample."""
    tsdb = services("a")
    it = scorer(tsdb, step="1m", history="2d", warm_up="1d")
    turn(it, NOW)
    hole = NOW + 60 - 3_600

    def old(times: np.ndarray) -> np.ndarray:
        return np.where(abs(times - hole) < 120, np.nan, daily(7)(times))

    tsdb.series["rate"].append(({"service": "late"}, old))
    turn(it, NOW + 60)
    turn(it, NOW + 120)
    assert "late" in scores(it)


def test_newcomers_of_a_count_learn_their_zeros() -> None:
    """With `missing: zero` a newcomer's silent times are zeros, as they would have been from the start."""
    busy = between(daily(7), NOW - 3 * DAY, NOW - 2 * DAY)

    def sparse(times: np.ndarray) -> np.ndarray:
        return np.where((times >= NOW) | (times == NOW - 3_600), 5.0, busy(times))

    tsdb = services("a")
    it = scorer(tsdb, missing="zero")
    turn(it, NOW - STEP)
    tsdb.series["rate"].append(({"service": "late"}, sparse))
    turn(it, NOW)
    turn(it, NOW + STEP)
    whole = scorer(tsdb, missing="zero")
    turn(whole, NOW + STEP)
    row = -1
    state = it.series.model.state["count"][row], whole.series.model.state["count"][row]
    assert state[0] == pytest.approx(state[1], abs=150)
    assert state[0] > 300


def test_newcomers_are_not_taken_in_while_their_past_is_being_read() -> None:
    """After the first probe of an hour newcomers are not level yet, even if it ended at the present."""
    tsdb = services("a")
    it = scorer(tsdb)
    turn(it, NOW)
    tsdb.series["rate"].append(({"service": "b"}, daily(7)))
    it.advance(NOW + STEP)
    seen = []

    def look(request: httpx.Request) -> None:
        if request.url.path.endswith("/query_range"):
            assert it.newcomers
            seen.append(it.newcomers.time)

    tsdb.before = look
    it.meet()
    assert len(seen) >= 2
    assert set(seen) == {None}
    turn(it, NOW + 2 * STEP)
    assert set(scores(it)) == {"a", "b"}


def test_more_series_than_allowed_are_counted() -> None:
    """Beyond `max_series` series are not scored, and the number of those left out is known."""
    it = scorer(services("a", "b", "c", "d"), max_series=3)
    turn(it, NOW)
    assert len(scores(it)) == 3
    assert it.dropped == 1


def test_churn_stays_within_the_limit() -> None:
    """A label that changes with every point replaces the series that are gone, and the rest is scored."""
    tsdb = services("a")
    it = scorer(tsdb, max_series=5)
    turn(it, NOW)
    for number in range(1, 12):
        start = NOW + number * STEP
        churner = ({"service": f"pod-{number}"}, between(daily(number), start, start + STEP))
        tsdb.series["rate"] = [tsdb.series["rate"][0], churner]
        turn(it, start)
        assert "a" in scores(it)
        assert len(it.series) <= 5
    assert it.dropped == 0


def test_a_lower_limit_is_kept_at_once() -> None:
    """After a reload with a smaller `max_series` no more than that are scored."""
    it = scorer(services("a", "b", "c"))
    turn(it, NOW)
    it.adopt(query(max_series=2), it.reader.around)
    turn(it, NOW + STEP)
    assert len(scores(it)) == 2
    assert it.dropped == 1


def test_a_vanished_series_is_absent_and_keeps_what_it_learnt() -> None:
    """A series without a point has no score; when it is back it needs no second history."""
    tsdb = services("a")
    tsdb.series["rate"].append(({"service": "b"}, daily(1)))
    it = scorer(tsdb)
    turn(it, NOW)
    tsdb.series["rate"][1] = ({"service": "b"}, between(daily(1), NOW + 3 * STEP, np.inf))
    turn(it, NOW + STEP)
    assert set(scores(it)) == {"a"}
    assert it.counts["missing"] == 1
    tsdb.asked.clear()
    turn(it, NOW + 2 * STEP)
    turn(it, NOW + 3 * STEP)
    assert set(scores(it)) == {"a", "b"}
    assert tsdb.count("/query_range") == 0


def test_a_series_gone_for_a_whole_history_is_forgotten() -> None:
    """What was not seen for `history` takes no more room."""
    tsdb = services("a")
    tsdb.series["rate"].append(({"service": "b"}, between(daily(1), 0, NOW + 1)))
    it = scorer(tsdb)
    turn(it, NOW)
    turn(it, NOW + 4 * DAY)
    turn(it, NOW + 4 * DAY + STEP)
    assert [labels["service"] for labels in it.series.roster.labels] == ["a"]
