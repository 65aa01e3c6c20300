"""Drift in the cycle: compared every hour beside the scores, saved, reloaded, exposed with its reference."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exporter.config.schema import Config
from exporter.cycle.cycle import Cycle
from exporter.drift import memory
from exporter.metrics.telemetry import Telemetry
from exporter.store import Store
from exporter.tsdb.client import Client
from exporter.tsdb.settings import Settings
from tests.curves import DAY, between, daily
from tests.cycles import Clock
from tests.fake_tsdb import Curve, FakeTsdb

STEP = 1200
NOW = 1_700_006_400 // 3600 * 3600
SERVICES = ("a", "b", "c")
OFF = {"enabled": False}


def config(drift: dict[str, Any], groups: bool = False) -> Config:
    """Two queries whose drift is watched as `drift` says."""
    shared = {"step": "20m", "offset": "0s", "history": "20d", "warm_up": "2d"}
    names = [{"name": name, "expr": name, "drift": drift} | shared for name in ("one", "two")]
    joint = [{"name": "service", "by": ["service"], "queries": ["one", "two"]}] if groups else []
    return Config.model_validate(
        {
            "tsdb": {"url": "http://tsdb"},
            "queries": names,
            "scoring": shared | {"interval": "20m"},
            "groups": joint,
        }
    )


def client(tsdb: FakeTsdb) -> Client:
    """A client of `tsdb` that does not wait between two tries."""
    return Client(Settings(url="http://tsdb"), transport=tsdb.transport(), wait=lambda _: False)


def shifted(curve: Curve, start: float, by: float) -> Curve:
    """`curve`, `by` higher from `start` on."""
    return lambda times: curve(times) + by * (times >= start)


def expression(seed: int, change: Callable[[str, Curve], Curve] = lambda _, it: it) -> list[Any]:
    """A daily wave per service."""
    curves = {name: daily(10 * seed + i) for i, name in enumerate(SERVICES)}
    return [({"service": name}, change(name, curve)) for name, curve in curves.items()]


@pytest.fixture
def tsdb() -> FakeTsdb:
    """Two expressions; service b of the first has been 15 higher for 30 hours."""

    def change(name: str, curve: Curve) -> Curve:
        return shifted(curve, NOW - 30 * 3600, 15) if name == "b" else curve

    return FakeTsdb({"one": expression(0, change), "two": expression(1)})


@pytest.fixture
def clock() -> Clock:
    """The time at which a test starts."""
    return Clock(NOW)


def new_cycle(tsdb: FakeTsdb, clock: Clock, directory: Path, settings: Config) -> Cycle:
    """A cycle as it is after a start of the process."""
    return Cycle(settings, client(tsdb), Telemetry(), Store(directory / "state"), threading.Event(), clock)


def turn(cycle: Cycle, clock: Clock, passes: int = 1) -> None:
    """Passes a step apart, each with its comparisons, which the next shows."""
    for _ in range(passes):
        clock.now += STEP
        cycle.pass_over()
        cycle.drifts.settle()


def started(tsdb: FakeTsdb, clock: Clock, directory: Path, settings: Config | None = None) -> Cycle:
    """A cycle that has read its history, compared its windows and shows what it found."""
    cycle = new_cycle(tsdb, clock, directory, settings or config({}))
    clock.now -= STEP
    turn(cycle, clock, 3)
    return cycle


def text(cycle: Cycle) -> str:
    """What a scrape would show, scores and self."""
    return (cycle.snapshot.text + cycle.telemetry.render()).decode()


def found(cycle: Cycle, family: str) -> dict[str, float]:
    """Values of a family by their labels."""
    return {
        labels: float(value)
        for labels, value in re.findall(rf"^{family}\{{(.*)\}} (\S+)$", text(cycle), re.MULTILINE)
    }


def test_every_series_has_a_drift_score(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> None:
    """The one that changed is severe, with the time and the size of the change; the others are normal."""
    cycle = started(tsdb, clock, tmp_path)
    scores = found(cycle, "drift_score")
    assert len(scores) == 6
    changed = scores.pop('query="one",service="b",test="combined"')
    assert changed > 5
    assert max(scores.values()) < 3
    assert found(cycle, "drift_shift") == {'query="one",service="b"': pytest.approx(15, rel=0.1)}
    (since,) = found(cycle, "drift_changed_timestamp_seconds").values()
    assert abs(since - (NOW - 30 * 3600)) <= 2 * 3600
    assert list(found(cycle, "drift_movement_ratio").values()) == [pytest.approx(1, abs=0.3)]
    cycle.end()


def test_drift_lowers_the_confidence(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> None:
    """The series whose drift is severe is trusted less by three tenths while that is news."""
    settings = config({})
    outputs = ("score", "drift", "confidence")
    queries = tuple(it.model_copy(update={"outputs": outputs, "adapts": 20 * DAY}) for it in settings.queries)
    cycle = started(tsdb, clock, tmp_path, settings.model_copy(update={"queries": queries}))
    trusted = found(cycle, "anomaly_confidence")
    a, b, c = (trusted[f'query="one",service="{name}"'] for name in SERVICES)
    assert b == pytest.approx(0.7 * (a + c) / 2, rel=0.05)
    series = cycle.scorers["one"].series
    rendered = series.roster.rendered
    assert (series.drifting.of(rendered, clock.now) > 5).tolist() == [False, True, False]
    assert series.drifting.of(rendered, clock.now + 4 * 3600).tolist() == [0, 0, 0]
    cycle.end()


def test_the_reference_is_named_and_dated(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> None:
    """Hash, end and validity of each query's reference, and the newest window, are exposed."""
    cycle = started(tsdb, clock, tmp_path)
    assert len(found(cycle, "drift_reference_info")) == 2
    assert found(cycle, "drift_reference_valid") == {'query="one"': 1, 'query="two"': 1}
    assert set(found(cycle, "drift_reference_timestamp_seconds").values()) == {NOW - DAY}
    assert set(found(cycle, "drift_last_success_timestamp_seconds").values()) == {NOW}
    cycle.end()


def test_windows_are_compared_once_an_hour(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> None:
    """Passes within the hour show what the hour before found; the next hour finds anew."""
    cycle = new_cycle(tsdb, clock, tmp_path, config({}))
    clock.now -= STEP
    turn(cycle, clock, 2)
    before = cycle.snapshot.drifts
    turn(cycle, clock)
    assert [id(it) for it in cycle.snapshot.drifts] == [id(it) for it in before]
    turn(cycle, clock, 3)
    assert set(found(cycle, "drift_last_success_timestamp_seconds").values()) == {NOW + 3600}
    cycle.end()


def test_the_reference_is_learnt_anew_after_a_day(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> None:
    """Its hash and its end stay for `refresh`, then there is another."""
    cycle = started(tsdb, clock, tmp_path, config({"refresh": "3h"}))
    first = found(cycle, "drift_reference_info")
    turn(cycle, clock, 6)
    assert found(cycle, "drift_reference_info") == first
    turn(cycle, clock, 4)
    assert not set(found(cycle, "drift_reference_info")) & set(first)
    assert set(found(cycle, "drift_reference_timestamp_seconds").values()) == {NOW + 3 * 3600 - DAY}
    cycle.end()


def test_the_tests_that_are_asked_for_are_shown(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> None:
    """`tests` adds to the combined score; a source label of the name `test` makes way."""
    tsdb.series["two"] = [({"test": "x"}, daily(5))]
    cycle = started(tsdb, clock, tmp_path, config({"tests": ["ks"]}))
    scores = found(cycle, "drift_score")
    assert len(scores) == 8
    assert 'query="two",exported_test="x",test="ks"' in scores
    cycle.end()


def test_drift_that_is_off_is_not_remembered(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> None:
    """Switched off, it is neither in memory nor on the page."""
    cycle = started(tsdb, clock, tmp_path, config(OFF))
    assert all(it.series.hours is None for it in cycle.scorers.values())
    assert not re.search(r"^drift_\w+\{", text(cycle), re.MULTILINE)
    cycle.end()


def test_a_restart_goes_on(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> None:
    """Ring and reference are in the state: the same scores and the same hash, without reading history."""
    first = started(tsdb, clock, tmp_path)
    first.save()
    at = clock.now
    turn(first, clock, 3)
    clock.now = at
    asked = tsdb.count("query_range")
    second = new_cycle(tsdb, clock, tmp_path, config({}))
    turn(second, clock, 3)
    assert tsdb.count("query_range") == asked
    assert found(second, "drift_reference_info") == found(first, "drift_reference_info")
    assert found(second, "drift_score") == found(first, "drift_score")
    first.end()
    second.end()


def test_state_comes_back_bit_for_bit(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> None:
    """Every array of ring and reference is the same after save and load."""
    first = started(tsdb, clock, tmp_path)
    first.save()
    second = new_cycle(tsdb, clock, tmp_path, config({}))
    for name, scorer in first.scorers.items():
        one, other = (memory.packed(it.series.hours, it.reference) for it in (scorer, second.scorers[name]))
        assert one.keys() == other.keys()
        assert all(one[it].tobytes() == other[it].tobytes() for it in one)
    first.end()
    second.end()


def test_a_reference_of_another_shape_is_none(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> None:
    """What another version has learnt is no reference here, and no fault."""
    cycle = started(tsdb, clock, tmp_path)
    scorer = cycle.scorers["one"]
    arrays = memory.packed(scorer.series.hours, scorer.reference)
    assert memory.reference(arrays)
    assert memory.reference({name: it for name, it in arrays.items() if name != "reference.grid"}) is None
    assert memory.reference({}) is None
    cycle.end()


def test_a_reference_that_was_changed_is_not_used(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> None:
    """Where the hash does not fit, valid is 0 and nothing is scored; an hour later all is well again."""
    cycle = started(tsdb, clock, tmp_path)
    scorer = cycle.scorers["one"]
    assert scorer.reference
    scorer.reference = replace(scorer.reference, sha256="0" * 64)
    turn(cycle, clock, 3)
    assert found(cycle, "drift_reference_valid") == {'query="one"': 0, 'query="two"': 1}
    assert not [it for it in found(cycle, "drift_score") if 'query="one"' in it]
    turn(cycle, clock, 3)
    assert found(cycle, "drift_reference_valid") == {'query="one"': 1, 'query="two"': 1}
    assert [it for it in found(cycle, "drift_score") if 'query="one"' in it]
    cycle.end()


def test_drift_of_a_source_that_is_silent_is_gone(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> None:
    """Two hours after its last point a series has no drift score any more, full as its window still is."""
    cycle = started(tsdb, clock, tmp_path)
    tsdb.series["two"] = [(labels, between(it, 0, clock.now)) for labels, it in tsdb.series["two"]]
    turn(cycle, clock, 12)
    assert all(it.startswith('query="one"') for it in found(cycle, "drift_score"))
    cycle.end()


def test_drift_that_a_reload_asks_for_reads_the_past(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> None:
    """Watched from a reload on: history is read once more; not watched any more: nothing speaks of it."""
    cycle = started(tsdb, clock, tmp_path, config(OFF))
    cycle.reload(config({}), client(tsdb))
    turn(cycle, clock, 3)
    assert len(found(cycle, "drift_score")) == 6
    asked = tsdb.count("query_range")
    cycle.reload(config(OFF), client(tsdb))
    turn(cycle, clock, 2)
    assert not re.search(r"^drift_\w+\{", text(cycle), re.MULTILINE)
    assert tsdb.count("query_range") == asked
    cycle.end()


def test_another_expression_has_no_drift_of_the_former(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> None:
    """A query that learns anew after a reload shows nothing of what it was, and then its own drift."""
    cycle = started(tsdb, clock, tmp_path)
    settings = config({})
    queries = (settings.queries[0].model_copy(update={"expr": "two"}), settings.queries[1])
    before = set(found(cycle, "drift_reference_info"))
    cycle.reload(settings.model_copy(update={"queries": queries}), client(tsdb))
    turn(cycle, clock)
    assert max(found(cycle, "drift_score").values()) < 3
    turn(cycle, clock, 2)
    assert len(found(cycle, "drift_score")) == 6
    assert max(found(cycle, "drift_score").values()) < 3
    assert len(before & set(found(cycle, "drift_reference_info"))) == 1
    cycle.end()


def test_other_settings_are_heeded_within_the_hour(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> None:
    """Tests that a reload asks for are shown at the next pass but one, without a new reference."""
    cycle = started(tsdb, clock, tmp_path)
    clock.now -= clock.now % 3600
    before = found(cycle, "drift_reference_info")
    cycle.reload(config({"tests": ["psi"]}), client(tsdb))
    turn(cycle, clock, 2)
    assert {it.rpartition("=")[2] for it in found(cycle, "drift_score")} == {'"combined"', '"psi"'}
    assert found(cycle, "drift_reference_info") == before
    cycle.end()


def test_a_series_that_comes_is_compared_once_it_has_a_past(
    tsdb: FakeTsdb, clock: Clock, tmp_path: Path
) -> None:
    """A newcomer brings its own hours; it has no score until the next reference knows it."""
    cycle = started(tsdb, clock, tmp_path, config({"refresh": "1h"}))
    tsdb.series["two"].append(({"service": "new"}, daily(70)))
    turn(cycle, clock)
    while any(scorer.awaits_newcomers() for scorer in cycle.scorers.values()):
        cycle.pass_over()
    turn(cycle, clock, 4)
    assert found(cycle, "drift_score")['query="two",service="new",test="combined"'] < 3
    cycle.end()


def test_services_of_a_group_drift_together(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> None:
    """A service whose query changed drifts jointly, the others do not."""
    cycle = started(tsdb, clock, tmp_path, config({}, groups=True))
    turn(cycle, clock)
    cycle.groups.settle()
    scores = found(cycle, "drift_group_score")
    assert len(scores) == 3
    assert scores.pop('group="service",service="b",test="mahalanobis"') > 5
    assert max(scores.values()) < 3
    for _ in range(4):
        turn(cycle, clock)
        assert len(found(cycle, "drift_group_score")) == 3
    cycle.end()


def test_a_classifier_tells_services_apart(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> None:
    """Where the tests name it, each service has a second score, and no series has one."""
    cycle = started(tsdb, clock, tmp_path, config({"tests": ["classifier"]}, groups=True))
    turn(cycle, clock)
    cycle.groups.settle()
    scores = {it: score for it, score in found(cycle, "drift_group_score").items() if "classifier" in it}
    assert len(scores) == 3
    assert scores.pop('group="service",service="b",test="classifier"') > 5
    assert max(scores.values()) < 3
    assert not any("classifier" in it for it in found(cycle, "drift_score"))
    cycle.end()


def test_buckets_drift_as_a_distribution(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> None:
    """Series with `le` have one score per histogram and none of their own."""

    def bucket(share: float) -> Curve:
        return lambda times: share * daily(3)(times) * (1 + 0.01 * np.sin(times / 5000 + share))

    def slower(times: np.ndarray) -> np.ndarray:
        return bucket(0.7)(times) * np.where(times >= NOW - 30 * 3600, 0.6, 1)

    tsdb.series["two"] = [
        ({"le": "0.1"}, slower),
        ({"le": "1"}, bucket(0.9)),
        ({"le": "+Inf"}, bucket(1.0)),
    ]
    cycle = started(tsdb, clock, tmp_path)
    scores = {key: it for key, it in found(cycle, "drift_score").items() if 'query="two"' in key}
    assert list(scores) == ['query="two",test="combined"']
    assert min(scores.values()) > 5
    cycle.end()


def test_a_fault_stays_in_its_query(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> None:
    """A query whose windows cannot be compared is counted, and nothing else is touched."""
    cycle = started(tsdb, clock, tmp_path)
    hours = cycle.scorers["one"].series.hours
    assert hours
    hours.state["anchor"] = np.zeros(1)
    turn(cycle, clock, 3)
    assert found(cycle, "drift_failures_total") == {'query="one"': 1}
    assert len(cycle.snapshot.scores) == 2
    assert set(found(cycle, "drift_last_success_timestamp_seconds").values()) == {NOW, NOW + 3600}
    cycle.end()
