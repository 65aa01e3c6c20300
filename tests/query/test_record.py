"""What is counted beside the model: happenings beyond the edge, and the confidence left."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.cycle.persistence import restore, saved
from exporter.query.confidence import SETTLED, confidence, youth
from exporter.query.record import DAY, HALF_LIFE, Record
from tests.curves import daily, replaced
from tests.fake_tsdb import FakeTsdb
from tests.scorers import NOW, STEP, scorer, services, turn

MINUTE = 60.0
WEEK = 7 * DAY


def fed(points: int, scores: dict[int, float], step: float = MINUTE, present: bool = True) -> Record:
    """A record of one series that scores 0.1, but `scores` at some points."""
    record = Record(step, 1)
    for i in range(points):
        score = scores.get(i, 0.1) if present else math.nan
        record.count(np.array([[present]]), {})
        record.steps([int(i * step)], np.array([[score]]), WEEK)
    return record


def test_a_happening_counts_once() -> None:
    """Points beyond the edge that lie close together are one alarm, those an hour apart are two."""
    assert fed(200, {50: 1.2, 51: 3.0, 60: 1.1}).state["alarms"][0] == pytest.approx(1, abs=0.01)
    assert fed(200, {50: 1.2, 120: 3.0}).state["alarms"][0] == pytest.approx(2, abs=0.01)
    assert fed(200, {50: 1.0}).state["alarms"][0] == 0


@pytest.mark.parametrize("alarms", [0, 1, 3])
def test_as_many_alarms_as_promised_make_a_ratio_of_one(alarms: int) -> None:
    """In a week with a budget of one a week, the ratio is about the number of alarms."""
    record = fed(2016, {i * 300 + 100: 2.0 for i in range(alarms)}, step=300.0)
    assert record.false_alarm_ratio() == pytest.approx(alarms, abs=0.15 * alarms)


def test_a_ratio_needs_a_scored_series() -> None:
    """While nothing was scored nothing was promised, and there is no ratio."""
    assert math.isnan(Record(MINUTE, 3).false_alarm_ratio())
    assert math.isnan(fed(100, {}, present=False).false_alarm_ratio())


def test_the_learnt_points_beyond_the_edge_have_a_share() -> None:
    """Three of two hundred points with a score are beyond it; points without a score do not count."""
    record = fed(200, {50: 1.2, 51: 3.0, 60: 1.1, 70: math.nan})
    assert record.contamination_ratio() == pytest.approx(3 / 199, rel=0.01)
    assert fed(200, {50: 1.0}).contamination_ratio() == 0
    assert math.isnan(fed(100, {}, present=False).contamination_ratio())


def test_the_last_day_is_told_apart_from_the_weeks() -> None:
    """An hour beyond the edge shows in the share of the day, and is gone from it a week later."""
    strange = dict.fromkeys(range(2016, 2028), 2.0)
    fresh, old = fed(2_028, strange, step=300.0), fed(4_032, strange, step=300.0)
    assert fresh.validation_ratio() == pytest.approx(1 / 24, rel=0.05)
    assert old.validation_ratio() < 1e-4
    assert old.contamination_ratio() > 0.002
    assert math.isnan(fed(100, {}, present=False).validation_ratio())


def test_a_larger_budget_promises_more() -> None:
    """The same alarms are fewer times the promise of a series that is watched more sensitively."""
    one, two = Record(MINUTE, 2), Record(MINUTE, 2)
    for i in range(500):
        score = np.full((1, 2), 2.0 if i == 100 else 0.1)
        one.steps([i * 60], score, WEEK)
        two.steps([i * 60], score, np.array([WEEK, DAY]))
    assert one.false_alarm_ratio() == pytest.approx(4 * two.false_alarm_ratio(), rel=1e-3)


def test_old_alarms_are_forgotten() -> None:
    """After a half-life of quiet half an alarm is left."""
    record = fed(10, {3: 2.0}, step=3_600.0)
    for hour in range(int(HALF_LIFE / 3_600)):
        record.steps([(10 + hour) * 3_600], np.zeros((1, 1)), WEEK)
    assert record.state["alarms"][0] == pytest.approx(0.5, abs=0.01)


def test_rows_move_with_their_series() -> None:
    """Rows can be reordered, added and overwritten; an added one knows nothing."""
    record, other = fed(100, {50: 2.0}), fed(10, {})
    record.select(np.array([-1, 0]))
    assert record.state["points"].tolist() == [0, 100]
    record.put(np.array([0]), other)
    assert record.state["points"].tolist() == [10, 100]


def test_youth_rises_with_the_points() -> None:
    """It is 0 at first, a half at the end of the warm-up, and 1 once the series is settled."""
    assert youth(np.array([0, DAY, 2 * DAY, SETTLED, 2 * SETTLED]), 2 * DAY).tolist() == [0, 0.25, 0.5, 1, 1]
    assert youth(np.array([20 * DAY, 40 * DAY]), 20 * DAY).tolist() == [0.5, 1]


@given(st.floats(0, 1e8), st.floats(0, 1), st.floats(0, 1e7) | st.just(math.nan), st.floats(1, 1.8))
def test_confidence_is_a_share_that_each_fault_lowers(
    known: float, share: float, shift: float, factor: float
) -> None:
    """It lies between 0 and 1, and never above that of a series without the fault."""
    found = confidence(np.array([known]), 2 * DAY, np.array([share]), np.array([shift]), factor)[0]
    assert 0 <= found <= 1
    best = confidence(np.array([SETTLED]), 2 * DAY, np.ones(1), np.array([math.nan]), 1.0)[0]
    assert best == 1
    for fault in (youth(np.array([known]), 2 * DAY)[0], share, 1 / factor):
        assert found <= fault + 1e-9


@pytest.mark.parametrize(("drift", "left"), [(0.0, 1), (2.9, 1), (3.0, 0.85), (5.0, 0.7), (50.0, 0.7)])
def test_drift_lowers_confidence_in_two_steps(drift: float, left: float) -> None:
    """Moderate drift takes 15 per cent, severe drift 30, and no drift more than that."""
    calm = confidence(np.array([SETTLED]), 2 * DAY, np.ones(1), np.array([math.nan]), 1.0, drift)
    assert calm == pytest.approx(left)


def told(text: str, name: str) -> float:
    """The value of a gauge of the query `rate`."""
    (line,) = [it for it in text.splitlines() if it.startswith(f'{name}{{query="rate"}} ')]
    return float(line.split()[-1])


def test_a_query_tells_what_its_models_know() -> None:
    """Since when, from how many points, and how its alarms compare with the budget."""
    tsdb = FakeTsdb({"rate": [({"service": "a"}, replaced(daily(), NOW - 7_200, NOW - 3_600, 300.0))]})
    it = scorer(tsdb)
    turn(it, NOW)
    text = it.reader.around.telemetry.render().decode()
    assert told(text, "anomaly_model_trained_timestamp_seconds") == it.begun
    assert told(text, "anomaly_model_samples") == pytest.approx(4 * 86_400 / STEP, abs=2)
    assert told(text, "anomaly_model_false_alarm_ratio") > 1
    assert 0 < told(text, "anomaly_model_contamination_ratio") < 0.1
    assert 0 < told(text, "anomaly_model_validation_ratio") < 0.1


def test_confidence_is_exposed_where_it_is_asked_for() -> None:
    """It is no default output; a complete series of four days is believed more than a half."""
    it, plain = scorer(services("a"), outputs=["score", "confidence"]), scorer(services("a"))
    for one in (it, plain):
        turn(one, NOW)
        assert one.scores is not None
    assert it.scores is not None
    assert plain.scores is not None
    assert 0.5 < it.scores.families["anomaly_confidence"][0] < 0.7
    assert "anomaly_confidence" not in plain.scores.families


def test_the_record_survives_a_restart() -> None:
    """Counters are saved with the model, and newcomers bring their own."""
    tsdb = services("a", "b")
    before, after = scorer(tsdb), scorer(tsdb)
    turn(before, NOW)
    state = saved(before)
    assert state is not None
    assert restore(after, state, NOW)
    for name, array in before.series.record.state.items():
        np.testing.assert_array_equal(array, after.series.record.state[name], err_msg=name)
    tsdb.series["rate"].append(({"service": "late"}, daily(7)))
    for later in (1, 2):
        turn(after, NOW + later * STEP)
    assert after.series.record.state["points"][2] == pytest.approx(576, abs=3)


def test_points_count_alike_singly_and_together() -> None:
    """Half hours taken in at once leave the counters that their points leave one by one, to rounding."""
    rng = np.random.default_rng(2)
    scores = rng.gamma(0.6, 0.5, (600, 20))
    scores[rng.random(scores.shape) < 0.05] = math.nan
    learn = np.arange(20) != 3
    one, other = Record(300.0, 20), Record(300.0, 20)
    times = list(range(300, 300 * 601, 300))
    for begin in range(0, 600, 6):
        of = slice(begin, begin + 6)
        other.count(scores[of] == scores[of], {"silence": ~learn})
        other.steps(times[of], scores[of], WEEK, learn)
        for point in range(begin, begin + 6):
            row = scores[point : point + 1]
            one.count(row == row, {"silence": ~learn})
            one.steps([times[point]], row, WEEK, learn)
    assert one.state["alarms"].sum() > 20
    for name, array in one.state.items():
        np.testing.assert_allclose(other.state[name], array, rtol=2e-4, err_msg=name)


def test_a_happening_has_a_beginning() -> None:
    """It began with its first point above the edge; a dip shorter than half an hour does not end it."""
    record = Record(MINUTE, 2)
    for minute, score in enumerate([0.5, 2.0, 0.5, math.nan, 2.0, *[0.5] * 40, 3.0, 2.0]):
        record.steps([minute * 60], np.array([[score, 0.5]]), WEEK)
        if minute == 4:
            assert record.state["since"].tolist()[0] == 60
    assert record.state["since"][0] == 45 * 60
    assert math.isnan(record.state["since"][1])


def test_the_beginning_of_a_happening_survives_a_restart() -> None:
    """Since when a series has been beyond the edge is frozen with its scores, saved and restored."""
    jump = replaced(daily(), NOW - 3 * STEP, NOW + STEP, 1e6)
    tsdb = FakeTsdb({"rate": [({"service": "a"}, daily()), ({"service": "b"}, jump)]})
    first = scorer(tsdb)
    turn(first, NOW)
    assert first.scores
    assert first.scores.facts["since"][1] == NOW - 3 * STEP
    stored = saved(first)
    second = scorer(tsdb)
    assert stored
    assert restore(second, stored, NOW)
    assert second.scores
    np.testing.assert_array_equal(second.scores.facts["since"], first.scores.facts["since"])
