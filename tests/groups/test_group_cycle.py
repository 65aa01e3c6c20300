"""Groups in the cycle: scored with their queries, fitted beside them, saved, reloaded, never in their way."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import orjson
import pytest

from exporter.commands.once import _document
from exporter.config.schema import Config
from exporter.cycle.cycle import Cycle
from exporter.metrics.telemetry import Telemetry
from exporter.store import Store
from exporter.tsdb.client import Client
from exporter.tsdb.settings import Settings
from tests.curves import DAY, between, daily, replaced
from tests.cycles import Clock
from tests.fake_tsdb import Curve, FakeTsdb

STEP = 600
NOW = 1_700_000_000 // STEP * STEP
QUERIES = ("one", "two", "three")
SERVICES = ("a", "b", "c")


def group(**changes: Any) -> dict[str, Any]:
    """A group of all three queries."""
    return {"name": "service", "by": ["service"], "queries": list(QUERIES)} | changes


def config(*groups: dict[str, Any], zone: str = "UTC", queries: tuple[str, ...] = QUERIES) -> Config:
    """A query per name, each asking for the expression of its name, and `groups` of them."""
    shared = {"step": "10m", "offset": "0s", "history": "5d", "warm_up": "2d"}
    return Config.model_validate(
        {
            "tsdb": {"url": "http://tsdb"},
            "queries": [{"name": name, "expr": name} | shared for name in queries],
            "scoring": shared | {"interval": "10m", "time_zone": zone},
            "groups": list(groups),
        }
    )


def client(tsdb: FakeTsdb) -> Client:
    """A client of `tsdb` that does not wait between two tries."""
    return Client(Settings(url="http://tsdb"), transport=tsdb.transport(), wait=lambda _: False)


def expression(seed: int, change: Callable[[str, Curve], Curve] = lambda _, it: it) -> list[Any]:
    """A daily wave per service."""
    curves = {name: daily(10 * seed + i) for i, name in enumerate(SERVICES)}
    return [({"service": name}, change(name, curve)) for name, curve in curves.items()]


@pytest.fixture
def tsdb() -> FakeTsdb:
    """Three expressions with a series for each of three services."""
    return FakeTsdb({name: expression(seed) for seed, name in enumerate(QUERIES)})


@pytest.fixture
def clock() -> Clock:
    """The time at which a test starts."""
    return Clock(NOW)


def new_cycle(tsdb: FakeTsdb, clock: Clock, directory: Path, *groups: dict[str, Any]) -> Cycle:
    """A cycle as it is after a start of the process."""
    parts = (Telemetry(), Store(directory / "state"), threading.Event())
    return Cycle(config(*(groups or (group(),))), client(tsdb), *parts, clock)


def turn(cycle: Cycle, clock: Clock, passes: int = 1) -> None:
    """Passes a step apart, each with its fits."""
    for _ in range(passes):
        clock.now += STEP
        cycle.pass_over()
        cycle.groups.settle()


def started(tsdb: FakeTsdb, clock: Clock, directory: Path, *groups: dict[str, Any]) -> Cycle:
    """A cycle that has learnt its history, fitted its groups and scored once more."""
    cycle = new_cycle(tsdb, clock, directory, *groups)
    clock.now -= STEP
    turn(cycle, clock, 2)
    return cycle


def text(cycle: Cycle) -> str:
    """What a scrape would show, scores and self."""
    return (cycle.snapshot.text + cycle.telemetry.render()).decode()


def joint(cycle: Cycle, name: str = "service") -> dict[str, float]:
    """The joint score of each service of a group."""
    found = [it for it in cycle.snapshot.groups if it.group == name]
    return {
        labels["service"]: score
        for it in found
        for labels, score in zip(it.services, it.score.tolist(), strict=True)
        if score == score
    }


def shares(cycle: Cycle, service: str) -> dict[str, float]:
    """The contributions to a service."""
    (it,) = cycle.snapshot.groups
    row = [labels["service"] for labels in it.services].index(service)
    return {name: v for name, v in zip(it.queries, it.contribution[row].tolist(), strict=True) if v == v}


def test_two_queries_that_say_the_same_are_told(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> None:
    """The correlation of a query with itself under another name is 1; of three unrelated ones it is less."""
    told = r'anomaly_group_correlation_max\{group="service"\} (\S+)'
    (apart,) = re.findall(told, text(started(tsdb, clock, tmp_path / "apart")))
    tsdb.series["two"] = tsdb.series["one"]
    (same,) = re.findall(told, text(started(tsdb, clock, tmp_path / "same")))
    assert float(apart) < 0.6
    assert float(same) > 0.99


def test_services_are_scored_once_the_group_is_fitted(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> None:
    """The first pass fits the group from the queries' own past, the second shows a score per service."""
    cycle = new_cycle(tsdb, clock, tmp_path)
    cycle.pass_over()
    assert joint(cycle) == {}
    assert 'tidemark_group_services{group="service",state="learning"} 3.0' in text(cycle)
    cycle.groups.settle()
    turn(cycle, clock)
    assert set(joint(cycle)) == set(SERVICES)
    assert all(score < 1 for score in joint(cycle).values())
    assert sum(shares(cycle, "a").values()) == pytest.approx(1, abs=0.001)
    shown = text(cycle)
    assert 'anomaly_group_score{group="service",service="a"}' in shown
    assert 'anomaly_group_contribution{group="service",service="a",query="one"}' in shown
    assert 'tidemark_group_services{group="service",state="joint"} 3.0' in shown
    assert 'tidemark_group_refits_total{group="service",result="success"} 1.0' in shown
    cycle.end()


@pytest.mark.parametrize("method", ["isolation_forest", "mahalanobis"])
def test_an_incident_in_one_query_names_it(tsdb: FakeTsdb, clock: Clock, tmp_path: Path, method: str) -> None:
    """Where one query of a service is far off, that service alone is strange, and that query is blamed."""

    def broken(name: str, curve: Curve) -> Curve:
        return replaced(curve, NOW + 2 * STEP, NOW + DAY, 400) if name == "b" else curve

    tsdb.series["two"] = expression(1, broken)
    cycle = started(tsdb, clock, tmp_path, group(method=method))
    turn(cycle, clock, 4)
    scores = joint(cycle)
    assert scores["b"] > 1
    assert max(scores["a"], scores["c"]) < 1
    blamed = shares(cycle, "b")
    assert max(blamed, key=lambda it: blamed[it]) == "two"
    cycle.end()


def test_mildly_off_together_is_strange(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> None:
    """Three queries a little off for some points raise the service above its single series' own picture."""
    for seed, name in enumerate(QUERIES):

        def lifted(service: str, curve: Curve) -> Curve:
            def shifted(times: np.ndarray) -> np.ndarray:
                return curve(times) + 6.0 * (times >= NOW + 2 * STEP) * (service == "c")

            return shifted

        tsdb.series[name] = expression(seed, lifted)
    cycle = started(tsdb, clock, tmp_path)
    turn(cycle, clock, 3)
    scores = joint(cycle)
    assert scores["c"] > max(scores["a"], scores["b"]) + 0.2
    cycle.end()


def test_a_service_of_one_query_has_that_query_s_score(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> None:
    """A service that only one query knows falls back to it, with the whole share."""
    tsdb.series["two"].append(({"service": "lonely"}, daily(99)))
    cycle = started(tsdb, clock, tmp_path)
    (two,) = (it for it in cycle.snapshot.scores if it.query == "two")
    row = [labels["service"] for labels in two.series].index("lonely")
    assert joint(cycle)["lonely"] == pytest.approx(two.families["anomaly_score"][row])
    assert shares(cycle, "lonely") == {"two": 1.0}
    assert 'tidemark_group_services{group="service",state="single"} 1.0' in text(cycle)
    cycle.end()


def test_of_several_instances_the_strangest_speaks(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> None:
    """Series of one query that share the labels of the group are one member."""
    wild = replaced(daily(50), NOW + 2 * STEP, NOW + DAY, 400)
    tsdb.series["one"] = [
        ({"service": "a", "instance": "1"}, daily(0)),
        ({"service": "a", "instance": "2"}, wild),
        ({"service": "b", "instance": "1"}, daily(1)),
    ]
    cycle = started(tsdb, clock, tmp_path)
    turn(cycle, clock, 3)
    assert joint(cycle)["a"] > 1
    assert joint(cycle)["b"] < 1
    cycle.end()


def test_a_failing_query_is_a_missing_member(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> None:
    """While one query fails the services are scored by the others; when all fail there is nothing."""
    cycle = started(tsdb, clock, tmp_path)
    tsdb.series["two"] = [({"__name__": it, "service": "a"}, daily()) for it in ("x", "y")]
    turn(cycle, clock)
    assert set(joint(cycle)) == set(SERVICES)
    assert set(shares(cycle, "a")) == {"one", "three"}
    tsdb.trouble = lambda _: httpx.Response(503, text="busy")
    turn(cycle, clock)
    assert cycle.snapshot.groups == ()
    assert 'tidemark_group_services{group="service",state="joint"} 0.0' in text(cycle)
    tsdb.trouble = None
    tsdb.series["two"] = expression(1)
    turn(cycle, clock)
    assert set(shares(cycle, "a")) == set(QUERIES)
    cycle.end()


def test_stale_queries_do_not_speak(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> None:
    """While the TSDB keeps all turns waiting, the joint scores go when the single ones do."""
    cycle = started(tsdb, clock, tmp_path)
    answered = threading.Event()

    def slow(_: httpx.Request) -> httpx.Response:
        answered.wait(30)
        return httpx.Response(503, text="busy")

    tsdb.trouble = slow
    clock.now += STEP
    cycle.pass_over(within=0)
    assert set(joint(cycle)) == set(SERVICES)
    clock.now += 4 * STEP
    cycle.pass_over(within=0)
    assert cycle.snapshot.groups == ()
    answered.set()
    cycle.end()


def test_a_service_that_vanishes_is_gone(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> None:
    """A service without any point now has no joint score, and the others keep theirs."""
    gone = [between(daily(i), 0, NOW + 2 * STEP) for i in range(3)]
    for seed, name in enumerate(QUERIES):
        tsdb.series[name].append(({"service": "gone"}, gone[seed]))
    cycle = started(tsdb, clock, tmp_path)
    assert "gone" in joint(cycle)
    turn(cycle, clock)
    assert set(joint(cycle)) == set(SERVICES)
    cycle.end()


def test_a_service_that_appears_is_scored_by_the_group_s_law(
    tsdb: FakeTsdb, clock: Clock, tmp_path: Path
) -> None:
    """A service that the model has never seen is scored as soon as its series are."""
    cycle = started(tsdb, clock, tmp_path)
    for seed, name in enumerate(QUERIES):
        tsdb.series[name].append(({"service": "new"}, daily(70 + seed)))
    turn(cycle, clock)
    while any(scorer.awaits_newcomers() for scorer in cycle.scorers.values()):
        cycle.pass_over()  # nothing is due: their past is being read
    turn(cycle, clock)
    assert 0 < joint(cycle)["new"] < 1
    cycle.end()


def test_two_groups_share_a_query(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> None:
    """A query may be a member of several groups, which are scored each by itself."""
    pair = group(name="pair", queries=["one", "two"], method="mahalanobis")
    cycle = started(tsdb, clock, tmp_path, group(), pair)
    assert set(joint(cycle)) == set(joint(cycle, "pair")) == set(SERVICES)
    assert joint(cycle) != joint(cycle, "pair")
    cycle.end()


def test_a_restart_scores_as_before(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> None:
    """The past of the residuals is in the state: a restart gives the same joint scores."""
    first = started(tsdb, clock, tmp_path)
    first.save()
    at = clock.now
    turn(first, clock, 2)
    clock.now = at
    second = new_cycle(tsdb, clock, tmp_path)
    asked = tsdb.count("query_range")
    turn(second, clock, 2)
    assert tsdb.count("query_range") == asked
    assert joint(second) == pytest.approx(joint(first), abs=0.02)
    first.end()
    second.end()


def test_state_without_residuals_is_learnt_again(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> None:
    """State that was saved before the query was in a group is no damage: history is read once more."""
    alone = Cycle(config(), client(tsdb), Telemetry(), Store(tmp_path / "state"), threading.Event(), clock)
    alone.pass_over()
    alone.save()
    cycle = started(tsdb, clock, tmp_path)
    assert set(joint(cycle)) == set(SERVICES)
    assert "tidemark_state_ok 1.0" in text(cycle)
    alone.end()
    cycle.end()


def test_another_budget_keeps_the_model(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> None:
    """A changed budget moves the edge at the next pass, without a fit; the score moves the right way."""
    cycle = started(tsdb, clock, tmp_path)
    before, asked = joint(cycle), len(tsdb.asked)
    cycle.reload(config(group(false_alarms="1 per day")), client(tsdb))
    cycle.pass_over()
    after = joint(cycle)
    assert all(after[name] >= before[name] for name in SERVICES)
    assert any(after[name] > before[name] for name in SERVICES)
    assert len(tsdb.asked) == asked
    assert 'tidemark_group_refits_total{group="service",result="success"} 1.0' in text(cycle)
    cycle.end()


def test_a_group_that_goes_takes_its_metrics_along(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> None:
    """After a reload without the group nothing speaks of it, and its queries were not learnt anew."""
    cycle = started(tsdb, clock, tmp_path)
    asked = tsdb.count("query_range")
    cycle.reload(config(), client(tsdb))
    turn(cycle, clock)
    assert 'group="service"' not in text(cycle)
    assert tsdb.count("query_range") == asked
    assert all(scorer.series.residuals is None for scorer in cycle.scorers.values())
    cycle.end()


def test_a_group_that_comes_reads_the_past_it_needs(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> None:
    """A group that a reload adds is fitted from history, which its queries read again."""
    cycle = Cycle(config(), client(tsdb), Telemetry(), Store(tmp_path / "state"), threading.Event(), clock)
    cycle.pass_over()
    cycle.reload(config(group()), client(tsdb))
    turn(cycle, clock, 2)
    assert set(joint(cycle)) == set(SERVICES)
    cycle.end()


def test_a_refit_comes_when_it_is_due(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> None:
    """The model is fitted again after `refit`, and not before."""
    cycle = started(tsdb, clock, tmp_path, group(refit="1h"))
    turn(cycle, clock, 4)
    assert 'refits_total{group="service",result="success"} 1.0' in text(cycle)
    turn(cycle, clock, 4)
    assert 'refits_total{group="service",result="success"} 2.0' in text(cycle)
    cycle.end()


def test_a_young_group_says_that_it_is_too_young(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> None:
    """Without a past of two scored queries nothing is fitted, counted so, and tried again later."""
    tsdb.series = {name: [({"service": "a"}, between(daily(i), NOW - 2 * DAY - 6 * STEP, NOW + DAY))]
                   for i, name in enumerate(QUERIES)}  # fmt: skip
    cycle = started(tsdb, clock, tmp_path)
    assert 'refits_total{group="service",result="too_short"} 1.0' in text(cycle)
    assert joint(cycle) == {}
    cycle.end()


@pytest.mark.parametrize(("change", "before", "after"), [(1_698_541_200, 2, 1), (1_711_846_800, 1, 2)])
def test_clock_changes_are_no_event(tmp_path: Path, change: int, before: int, after: int) -> None:
    """Over the night in which local time jumps, in either direction, services that follow it are well."""

    def local(_: str, curve: Curve) -> Curve:
        return lambda times: curve(times + 3_600 * np.where(times < change, before, after))

    tsdb = FakeTsdb({name: expression(seed, local) for seed, name in enumerate(QUERIES)})
    clock = Clock(change // STEP * STEP - 3 * STEP)
    parts = (Telemetry(), Store(tmp_path), threading.Event())
    cycle = Cycle(config(group(), zone="Europe/Berlin"), client(tsdb), *parts, clock)
    cycle.pass_over()
    cycle.groups.settle()
    seen = []
    for _ in range(12):
        turn(cycle, clock)
        assert set(joint(cycle)) == set(SERVICES)
        seen += joint(cycle).values()
    assert sum(score > 1 for score in seen) <= 1  # one chance excursion in six hours
    assert max(seen) < 1.2
    cycle.end()


def test_a_fault_in_a_group_stays_in_it(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> None:
    """A group that cannot be computed is absent and counted once; nothing else is touched."""
    pair = group(name="pair", queries=["one", "two"])
    cycle = started(tsdb, clock, tmp_path, group(), pair)
    broken = cycle.groups.groups["pair"]
    assert broken.model
    broken.model.law.quantile.resize(0, refcheck=False)
    turn(cycle, clock)
    assert joint(cycle, "pair") == {}
    assert set(joint(cycle)) == set(SERVICES)
    assert len(cycle.snapshot.scores) == 3
    assert 'tidemark_events_total{event="group",result="failure"} 1.0' in text(cycle)
    cycle.end()


def test_one_pass_suffices_for_once(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> None:
    """`tidemark once` waits for the fit, and its JSON holds each service with the shares of its queries."""
    cycle = new_cycle(tsdb, clock, tmp_path)
    cycle.pass_over()
    cycle.settle()
    document = json.loads(orjson.dumps(_document(cycle)))
    assert [it["labels"] for it in document["groups"]] == [
        {"group": "service", "service": name} for name in SERVICES
    ]
    for it in document["groups"]:
        assert 0 <= it["score"] < 1
        assert sum(it["contributions"].values()) == pytest.approx(1, abs=0.001)
    cycle.end()
