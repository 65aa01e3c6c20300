"""The cycle: faults stay in their query, the snapshot is frozen, state is saved and loaded."""

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pytest

from exporter.config.query import Query
from exporter.config.schema import Config
from exporter.cycle.cycle import Cycle
from exporter.metrics.telemetry import Telemetry
from exporter.store import Store
from exporter.tsdb.client import Client
from exporter.tsdb.settings import Settings
from tests.curves import daily
from tests.fake_tsdb import FakeTsdb

STEP = 600
NOW = 1_700_000_000 // STEP * STEP


@dataclass
class Clock:
    """A clock that a test moves."""

    now: float = NOW

    def time(self) -> float:
        """Wall time."""
        return self.now

    def monotonic(self) -> float:
        """The same, since nobody moves this clock backwards."""
        return self.now


def config(*names: str, **scoring: str) -> Config:
    """A query per name, each asking for the expression of its name."""
    options = {"step": "10m", "interval": "10m", "offset": "0s", "history": "3d", "warm_up": "2d"} | scoring
    queries = [{"name": name, "expr": name} | options for name in names]
    for it in queries:
        del it["interval"]
    return Config.model_validate({"tsdb": {"url": "http://tsdb"}, "queries": queries, "scoring": options})


def client(tsdb: FakeTsdb) -> Client:
    """A client of `tsdb` that does not wait between two tries."""
    return Client(Settings(url="http://tsdb"), transport=tsdb.transport(), wait=lambda _: False)


@pytest.fixture
def tsdb() -> FakeTsdb:
    """Two expressions with a series each."""
    return FakeTsdb({name: [({"service": "a"}, daily(seed))] for seed, name in enumerate(("one", "two"))})


@pytest.fixture
def clock() -> Clock:
    """The time at which a test starts."""
    return Clock()


@pytest.fixture
def cycle(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> Iterator[Cycle]:
    """A cycle over both expressions."""
    it = new_cycle(tsdb, clock, tmp_path)
    yield it
    it.end()


def new_cycle(tsdb: FakeTsdb, clock: Clock, directory: Path, *names: str) -> Cycle:
    """A cycle as it is after a start of the process."""
    parts = (Telemetry(), Store(directory / "state"), threading.Event())
    return Cycle(config(*(names or ("one", "two"))), client(tsdb), *parts, clock)


def text(cycle: Cycle) -> str:
    """What a scrape would show, scores and self."""
    return (cycle.snapshot.text + cycle.telemetry.render()).decode()


def test_a_pass_publishes_every_query(cycle: Cycle) -> None:
    """After one pass the snapshot holds the scores of all queries, and the exporter is ready."""
    assert cycle.ready()[0] is False
    cycle.pass_over()
    assert cycle.ready() == (True, "ready")
    for name in ("one", "two"):
        assert f'anomaly_score{{query="{name}",service="a"}}' in text(cycle)
        assert f'tidemark_query_success{{query="{name}"}} 1.0' in text(cycle)
        assert f'tidemark_last_score_timestamp_seconds{{query="{name}"}} 1.6999998e+09' in text(cycle)


def test_a_failing_query_leaves_the_others_alone(cycle: Cycle, tsdb: FakeTsdb, clock: Clock) -> None:
    """One bad query loses its own scores, says why in a metric, and touches nothing else."""
    cycle.pass_over()
    duplicates = [({"__name__": name, "service": "a"}, daily()) for name in ("x", "y")]
    tsdb.series["one"] = duplicates
    clock.now += STEP
    cycle.pass_over()
    assert 'anomaly_score{query="one"' not in text(cycle)
    assert 'anomaly_score{query="two",service="a"}' in text(cycle)
    assert 'tidemark_query_success{query="one"} 0.0' in text(cycle)
    assert 'tidemark_query_failures_total{query="one",reason="duplicate"} 1.0' in text(cycle)
    assert cycle.failures["one"].reason == "duplicate"


def test_a_query_that_recovers_is_no_longer_failing(cycle: Cycle, tsdb: FakeTsdb, clock: Clock) -> None:
    """Once the TSDB answers again the scores are back and the failure is gone."""
    cycle.pass_over()
    tsdb.trouble = lambda _: httpx.Response(503, text="busy")
    clock.now += STEP
    cycle.pass_over()
    assert set(cycle.failures) == {"one", "two"}
    assert cycle.snapshot.scores == ()
    tsdb.trouble = None
    clock.now += STEP
    cycle.pass_over()
    assert cycle.failures == {}
    assert len(cycle.snapshot.scores) == 2


def test_an_internal_error_is_a_failure_of_its_query(cycle: Cycle, clock: Clock) -> None:
    """Even a fault of Tidemark itself stays in one query and is counted."""
    cycle.pass_over()
    cycle.scorers["one"].series.model.state["level"] = np.zeros(0)
    clock.now += STEP
    cycle.pass_over()
    assert cycle.failures["one"].reason == "internal"
    assert "two" not in cycle.failures


def test_stale_scores_are_not_exposed(cycle: Cycle, tsdb: FakeTsdb, clock: Clock) -> None:
    """Scores that no longer speak of the present disappear, even while the TSDB keeps a turn waiting."""
    cycle.pass_over()
    answered = threading.Event()

    def slow(_: httpx.Request) -> httpx.Response:
        answered.wait(30)
        return httpx.Response(503, text="busy")

    tsdb.trouble = slow
    clock.now += 4 * STEP
    cycle.pass_over(within=0)
    assert cycle.snapshot.scores == ()
    answered.set()


def test_an_unchanged_pass_keeps_the_snapshot(cycle: Cycle, clock: Clock) -> None:
    """Between two points nothing is rendered again."""
    cycle.pass_over()
    held = cycle.snapshot
    clock.now += 1
    cycle.pass_over()
    assert cycle.snapshot is held


def test_a_pass_that_fails_as_a_whole_does_not_end_the_loop(
    tsdb: FakeTsdb, clock: Clock, tmp_path: Path
) -> None:
    """Whatever goes wrong outside of a query is counted, and the next pass comes."""
    cycle = new_cycle(tsdb, clock, tmp_path)
    cycle.snapshot = None  # type: ignore[assignment]
    thread = threading.Thread(target=cycle.run)
    thread.start()
    line = 'tidemark_events_total{event="cycle",result="failure"} 1.0'
    while line not in cycle.telemetry.render().decode():
        thread.join(0.01)
    cycle.end()
    thread.join(30)
    assert not thread.is_alive()


def test_a_snapshot_does_not_change(cycle: Cycle, clock: Clock) -> None:
    """What a handler holds stays as it was while the next pass runs."""
    cycle.pass_over()
    held = cycle.snapshot
    before, scores = held.text, held.scores[0].families["anomaly_score"].copy()
    clock.now += STEP
    cycle.pass_over()
    assert cycle.snapshot is not held
    assert held.text == before
    np.testing.assert_array_equal(held.scores[0].families["anomaly_score"], scores)


def test_a_restart_reads_only_the_gap(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> None:
    """State that was saved is loaded, so history is not read twice."""
    first = new_cycle(tsdb, clock, tmp_path)
    first.pass_over()
    first.save()
    assert "tidemark_state_ok 1.0" in text(first)
    tsdb.asked.clear()
    clock.now += STEP
    second = new_cycle(tsdb, clock, tmp_path)
    second.pass_over()
    assert tsdb.count("/query_range") == 0
    assert len(second.snapshot.scores) == 2


def test_a_damaged_state_is_set_aside_and_rebuilt(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> None:
    """A file cut in half is kept for inquiry, counted, and its query learns again from history."""
    first = new_cycle(tsdb, clock, tmp_path)
    first.pass_over()
    first.save()
    path = tmp_path / "state" / "one.tidemark"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    second = new_cycle(tsdb, clock, tmp_path)
    second.pass_over()
    assert 'tidemark_state_recoveries_total{reason="damaged"} 1.0' in text(second)
    assert "tidemark_state_ok 0.0" in text(second)
    assert len(second.snapshot.scores) == 2
    assert list((tmp_path / "state").glob("one.set-aside-*"))
    second.save()
    assert "tidemark_state_ok 1.0" in text(second)


def test_a_state_directory_that_cannot_be_written_stops_nothing(
    tsdb: FakeTsdb, clock: Clock, tmp_path: Path
) -> None:
    """Without a place for state the scores go on, and a metric says so."""
    (tmp_path / "state").write_text("a file where the directory should be")
    cycle = new_cycle(tsdb, clock, tmp_path)
    cycle.pass_over()
    cycle.save()
    assert len(cycle.snapshot.scores) == 2
    assert "tidemark_state_ok 0.0" in text(cycle)
    assert 'tidemark_events_total{event="state_save",result="failure"} 1.0' in text(cycle)


def test_how_long_the_start_took_is_told_once(cycle: Cycle, clock: Clock) -> None:
    """The time until the first turn had ended stays as it was, whatever follows."""
    clock.now += 7
    for _ in range(2):
        cycle.pass_over()
        assert "tidemark_startup_duration_seconds 7.0" in text(cycle)
        clock.now += STEP


def test_a_reload_keeps_what_was_learnt(cycle: Cycle, tsdb: FakeTsdb, clock: Clock) -> None:
    """A query that stays goes on without reading history; a new one learns, an old one is gone."""
    cycle.pass_over()
    tsdb.series["three"] = [({"service": "a"}, daily(3))]
    tsdb.asked.clear()
    clock.now += STEP
    cycle.reload(config("two", "three"), client(tsdb))
    cycle.pass_over()
    asked = {form["query"] for path, form in tsdb.asked if path.endswith("query_range")}
    assert asked == {"three"}
    assert {it.query for it in cycle.snapshot.scores} == {"two", "three"}
    assert 'query="one"' not in text(cycle)


def test_a_reload_tells_the_new_sensitivities(cycle: Cycle, tsdb: FakeTsdb) -> None:
    """What is promised per category is told for every query, and forgotten with its category."""
    category = {"name": "shop", "match": {"service": "shop"}, "sensitivity": "high"}
    for categories in ([category], []):
        query = Query.model_validate({"name": "one", "expr": "one", "step": "10m", "categories": categories})
        cycle.reload(config("one").model_copy(update={"queries": (query,)}), client(tsdb))
        cycle.pass_over()
        told = cycle.telemetry.render().decode()
        assert ('anomaly_sensitivity{category="shop",query="one"} 7.0' in told) == bool(categories)
        assert 'anomaly_sensitivity{category="",query="one"} 1.0' in told


def test_a_reload_tells_what_the_file_says_of_queries_and_services(cycle: Cycle, tsdb: FakeTsdb) -> None:
    """Signal and direction of each query and the calls between services are told, and follow a reload."""
    for signal, called in (("traffic", {"a": ("b", "c")}), (None, {"a": ("c",)})):
        query = config("one").queries[0].model_copy(update={"signal": signal, "direction": "down"})
        changed = {"queries": (query,), "dependencies": called}
        cycle.reload(config("one").model_copy(update=changed), client(tsdb))
        cycle.pass_over()
        told = cycle.telemetry.render().decode()
        assert re.findall(r'anomaly_query_info\{direction="down",query="one",signal="(\w*)"\} 1', told) == [
            signal or ""
        ]
        calls = re.findall(r'anomaly_dependency_info\{depends_on="(\w)",distance="1",service="a"\} 1', told)
        assert tuple(calls) == called["a"]


def test_a_changed_expression_learns_again(cycle: Cycle, tsdb: FakeTsdb, clock: Clock) -> None:
    """Under the same name another expression starts from its own history."""
    cycle.pass_over()
    before = cycle.scorers["one"]
    queries = tuple(
        query.model_copy(update={"expr": "two"}) if query.name == "one" else query
        for query in config("one", "two").queries
    )
    clock.now += STEP
    cycle.reload(config("one", "two").model_copy(update={"queries": queries}), client(tsdb))
    cycle.pass_over()
    assert cycle.scorers["one"] is not before
    assert before.reader.retired
    assert len(cycle.snapshot.scores) == 2


def test_the_loop_saves_at_the_end(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> None:
    """A graceful stop leaves the state of the last point on disk."""
    cycle = new_cycle(tsdb, clock, tmp_path)
    thread = threading.Thread(target=cycle.run)
    thread.start()
    while not cycle.published:
        thread.join(0.01)
    cycle.end()
    thread.join(30)
    assert not thread.is_alive()
    assert {path.name for path in (tmp_path / "state").iterdir()} == {"one.tidemark", "two.tidemark"}


def test_the_next_pass_starts_when_the_next_point_can_be_read(cycle: Cycle, clock: Clock) -> None:
    """The pause ends at the next multiple of the interval plus the offset."""
    clock.now = NOW + 1
    assert cycle._pause() == STEP - 1
    clock.now = NOW + STEP - 1
    assert cycle._pause() == 1


def test_a_long_bootstrap_leaves_the_others_scored(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> None:
    """While new queries read their history, those that are live go on, point by point."""
    cycle = new_cycle(tsdb, clock, tmp_path)
    cycle.pass_over()
    held = threading.Event()
    names = [f"slow{number}" for number in range(6)]

    def slowly(request: httpx.Request) -> httpx.Response | None:
        if "slow" in str(request.url) and request.url.path.endswith("query_range"):
            held.wait(30)
        return None

    tsdb.series |= {name: [({"service": "a"}, daily())] for name in names}
    tsdb.before = slowly
    cycle.reload(config("one", "two", *names), client(tsdb))
    for _ in range(3):
        clock.now += STEP
        cycle.pass_over(within=0)
    while {it.query: it.time for it in cycle.snapshot.scores} != {"one": clock.now, "two": clock.now}:
        cycle.pass_over(within=0)
    held.set()
    cycle.end()


def test_a_stop_in_the_middle_of_a_bootstrap_saves_how_far_it_came(
    tsdb: FakeTsdb, clock: Clock, tmp_path: Path
) -> None:
    """What was learnt before a stop need not be learnt again."""
    cycle = new_cycle(tsdb, clock, tmp_path)
    thread = threading.Thread(target=cycle.run)

    def stopping(_: httpx.Request) -> httpx.Response | None:
        if {form["query"] for path, form in tsdb.asked if path.endswith("query_range")} == {"one", "two"}:
            cycle.end()
        return None

    tsdb.before = stopping
    thread.start()
    thread.join(30)
    assert not thread.is_alive()
    assert {path.name for path in (tmp_path / "state").iterdir()} == {"one.tidemark", "two.tidemark"}


def test_when_the_cycle_ends_nothing_is_shown_any_more(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> None:
    """However the thread ends, its last scores do not stay, and the process is told to stop."""
    cycle = new_cycle(tsdb, clock, tmp_path)
    cycle.pass_over()
    assert cycle.snapshot.scores
    cycle.end()
    cycle.run()
    assert cycle.snapshot.scores == ()
    assert cycle.stop.is_set()
    assert cycle.ended_well


def test_a_loop_that_breaks_is_no_good_end(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> None:
    """When the loop itself cannot go on, the process is told to stop, and its exit code can say so."""
    cycle = new_cycle(tsdb, clock, tmp_path)
    cycle.config = None  # type: ignore[assignment]
    with pytest.raises(AttributeError):
        cycle.run()
    assert cycle.stop.is_set()
    assert not cycle.ended_well


def test_a_failed_query_counts_no_series_as_scored(cycle: Cycle, tsdb: FakeTsdb, clock: Clock) -> None:
    """After a failure all known series of the query are missing, in the metric too."""
    cycle.pass_over()
    tsdb.trouble = lambda _: httpx.Response(422, json={"status": "error", "error": "no"})
    clock.now += STEP
    cycle.pass_over()
    assert 'tidemark_query_series{query="one",state="scored"} 0.0' in text(cycle)
    assert 'tidemark_query_series{query="one",state="missing"} 1.0' in text(cycle)


def test_newcomers_that_fail_are_counted_and_harm_nobody(cycle: Cycle, tsdb: FakeTsdb, clock: Clock) -> None:
    """A newcomer whose history is refused costs a count, not the scores of the others."""
    cycle.pass_over()
    tsdb.series["one"].append(({"service": "late"}, daily(9)))

    def refused(request: httpx.Request) -> httpx.Response | None:
        if request.url.path.endswith("query_range"):
            return httpx.Response(422, json={"status": "error", "error": "no"})
        return None

    tsdb.before = refused
    line = 'tidemark_query_failures_total{query="one",reason="rejected"}'
    while line not in text(cycle):
        clock.now += STEP
        cycle.pass_over()
    assert 'tidemark_query_success{query="one"} 1.0' in text(cycle)
    assert 'anomaly_score{query="one",service="a"}' in text(cycle)
