"""What is found out once an hour: which faults would be seen, and how much of the season is known."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from exporter.query import survey
from exporter.query.scorer import Scorer
from tests.fake_tsdb import FakeTsdb
from tests.scorers import NOW, STEP, scorer, services, turn

HOUR = 3_600


def figures(it: Scorer, name: str) -> dict[str, float]:
    """What a family says of the query, by its second label."""
    text = it.reader.around.telemetry.render().decode()
    lines = [line for line in text.splitlines() if line.startswith(f"anomaly_model_{name}_ratio{{")]
    return {re.findall(r'(?:fault|season)="(\w+)"', line)[0]: float(line.split()[-1]) for line in lines}


def learnt(tsdb: FakeTsdb | None = None, **changes: Any) -> Scorer:
    """A scorer that has learnt its history."""
    it = scorer(tsdb or services("a", "b", "c"), **changes)
    turn(it, NOW)
    return it


def detected(it: Scorer, values: np.ndarray) -> dict[str, float]:
    """The share of series in which each fault would be seen, if these were the values now."""
    assert it.time is not None
    return survey.detection_ratio(it.series, it.time, values, np.ones(len(values), bool))


def values(it: Scorer) -> np.ndarray:
    """The value of each series now."""
    assert it.scores is not None
    return it.scores.families["anomaly_value"]


def test_a_query_tells_which_faults_it_would_see() -> None:
    """On a steady wave both a value of 0 and a doubled one would be seen in every series."""
    assert figures(learnt(), "synthetic_detection") == {"zero": 1, "doubled": 1}


def test_faults_in_wild_series_would_not_be_seen() -> None:
    """Values that wander over decades hide a doubled one."""
    wild = np.random.default_rng(5).lognormal(0, 3, 100_000)

    def curve(at: np.ndarray) -> np.ndarray:
        return wild[(at // STEP % len(wild)).astype(int)]

    it = learnt(FakeTsdb({"rate": [({"service": "a"}, curve)]}))
    assert detected(it, np.array([1.0]))["doubled"] == 0


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({}, {"zero", "doubled"}),
        ({"direction": "down"}, {"zero"}),
        ({"direction": "up"}, {"doubled"}),
        ({"domain": {"min": 1}}, {"doubled"}),
        ({"domain": {"min": 0, "max": 150}}, {"zero"}),
        ({"model": "peers", "peers_by": ["env"]}, set()),
        ({"model": "auto"}, {"zero", "doubled"}),
        ({"model": "holt_winters"}, {"zero", "doubled"}),
    ],
)
def test_only_faults_that_could_be_are_planted(changes: dict[str, Any], faults: set[str]) -> None:
    """None on a side that nobody watches, outside the domain, or where series are compared."""
    assert set(detected(learnt(**changes), np.full(3, 100.0))) == faults


def test_a_zero_cannot_be_planted_in_a_zero() -> None:
    """A series at 0 has neither fault."""
    assert detected(learnt(), np.zeros(3)) == {}


def test_planting_leaves_no_trace() -> None:
    """The models' state is the same to the bit, and so is the next score."""
    it = learnt()
    before = {name: array.copy() for name, array in it.series.model.state.items()}
    detected(it, values(it))
    for name, array in it.series.model.state.items():
        np.testing.assert_array_equal(array, before[name], err_msg=name)


def test_a_strict_query_sees_less() -> None:
    """What is planted is judged by the edge of the query's sensitivity."""
    found = []
    for sensitivity in ("high", "low"):
        it = learnt(sensitivity=sensitivity)
        found.append(survey._probed(it.series, np.arange(3), NOW, values(it) * 1.3))
    assert (found[0] > found[1]).all()


def test_many_series_are_sampled() -> None:
    """Of a thousand series no more than MOST are tried, from all over the roster."""
    rows = survey._sample(np.ones(1_001, bool))
    assert 100 < len(rows) <= survey.MOST
    assert rows[-1] > 950


def test_it_is_known_how_much_of_the_week_was_seen() -> None:
    """Four days show each hour of the day and no hour of the week twice; two weeks show all of them."""
    young, old = learnt(), learnt(history="15d")
    assert figures(young, "season") == {"day": 1, "week": 0}
    assert figures(old, "season")["week"] > 0.98


def test_a_model_without_a_week_says_nothing_of_it() -> None:
    """Absent, not 0."""
    assert figures(learnt(model="rate_of_change"), "season") == {}


def test_it_is_found_out_once_an_hour() -> None:
    """A season that is forgotten in between shows in the next hour."""
    it = learnt()
    it.series.model.state["day_seen"][:] = 0
    shown = []
    for time in range(NOW + STEP, NOW + HOUR + STEP, STEP):
        turn(it, time)
        shown.append(figures(it, "season")["day"])
    assert len(shown) == 6
    assert shown[-1] < 0.5
    assert sorted(shown, reverse=True) == shown
    assert set(shown) <= {1, shown[-1]}


def test_queries_take_turns() -> None:
    """Each has its own minute of the hour, and one turn in every hour."""
    begins = [
        next(at for at in range(HOUR) if survey.turn(name, at) > survey.turn(name, 0)) for name in "abcd"
    ]
    assert len(set(begins)) == 4
    assert all(survey.turn(name, NOW + HOUR) == survey.turn(name, NOW) + 1 for name in "abcd")


def walk(at: np.ndarray) -> np.ndarray:
    """A random walk by the hour."""
    steps = np.random.default_rng(3).normal(0, 1, 4_000).cumsum()
    return steps[((at - NOW) // HOUR + 3_000).astype(int)]


def test_a_query_tells_what_its_past_is_worth() -> None:
    """A wave with noise comes back to its level and is worth most of its hours; a walk is the opposite."""
    wandering = FakeTsdb({"rate": [({"service": "a"}, walk)]})
    both = (learnt(it, history="30d") for it in (services("a"), wandering))
    steady, lost = (survey.past_figures(it.series, np.ones(1, bool)) for it in both)
    assert steady["stationary_ratio"] == 1
    assert lost["stationary_ratio"] == 0
    assert steady["effective_samples"] > 400
    assert lost["effective_samples"] < 50


def test_a_past_is_told_where_there_is_enough_of_it() -> None:
    """With four days of history, or without drift, nothing is said."""
    name = "anomaly_model_effective_samples"
    for it, there in (
        (learnt(), False),
        (learnt(history="30d"), True),
        (learnt(history="30d", drift={"enabled": False}), False),
    ):
        assert (f'{name}{{query="rate"}}' in it.reader.around.telemetry.render().decode()) == there


def test_nothing_is_told_of_a_query_without_series() -> None:
    """Unknown is absent."""
    it = learnt(FakeTsdb({"rate": []}))
    assert figures(it, "season") == figures(it, "synthetic_detection") == {}


def test_a_young_series_does_not_count() -> None:
    """Only series with a score are tried."""
    it = learnt()
    assert survey.detection_ratio(it.series, NOW, np.full(3, 100.0), np.zeros(3, bool)) == {}
