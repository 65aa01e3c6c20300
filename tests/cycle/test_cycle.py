"""The cycle: faults stay in their query, and the snapshot is frozen."""

import threading
from pathlib import Path

import httpx
import numpy as np
import pytest

from exporter.cycle.cycle import Cycle
from tests.curves import daily
from tests.cycles import NOW, STEP, Clock, client, config, new_cycle, text
from tests.fake_tsdb import FakeTsdb


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


def test_how_long_the_start_took_is_told_once(cycle: Cycle, clock: Clock) -> None:
    """The time until the first turn had ended stays as it was, whatever follows."""
    clock.now += 7
    for _ in range(2):
        cycle.pass_over()
        assert "tidemark_startup_duration_seconds 7.0" in text(cycle)
        clock.now += STEP


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
