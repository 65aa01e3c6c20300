"""What is learnt is kept over restarts, and a state that cannot be used or written stops nothing."""

import threading
from pathlib import Path

import httpx

from tests.cycles import STEP, Clock, new_cycle, text
from tests.fake_tsdb import FakeTsdb


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
