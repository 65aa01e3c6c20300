"""The diary: what is configured, heard and remembered becomes windows, and every failure stays small."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from exporter.calendars.timetable import Incidents
from exporter.calendars.windows import Agenda, Window
from exporter.config.schema import Config
from exporter.cycle.cycle import Cycle
from exporter.diary.diary import FILE, Diary, Times
from exporter.diary.incidents import expression
from exporter.matchers import patterns
from exporter.metrics.telemetry import Telemetry
from exporter.store import Store
from tests.curves import DAY, daily, replaced
from tests.cycles import NOW, STEP, Clock, client, text
from tests.fake_alertmanager import FakeAlertmanager
from tests.fake_tsdb import FakeTsdb

HOUR = 3_600
ALERTS = expression(Incidents())


def config(**sections: Any) -> Config:
    """A query `rate`, and what else is given."""
    options = {"step": "10m", "offset": "0s", "history": "4d", "warm_up": "2d"}
    query = {"name": "rate", "expr": "rate", **options}
    base = {"tsdb": {"url": "http://tsdb"}, "queries": [query], "scoring": {"interval": "10m"}}
    return Config.model_validate(base | sections)


@pytest.fixture
def clock() -> Clock:
    """The time at which a test starts."""
    return Clock()


@pytest.fixture
def tsdb() -> FakeTsdb:
    """Two services with a daily wave."""
    return FakeTsdb({"rate": [({"service": name}, daily(seed)) for seed, name in enumerate(("a", "b"))]})


def cycle(tsdb: FakeTsdb, clock: Clock, path: Path, *known: FakeAlertmanager, **sections: Any) -> Cycle:
    """A cycle that listens to Alertmanagers."""
    instances = tuple(it.client(f"http://{number}") for number, it in enumerate(known))
    if known:
        sections = {"alertmanager": {"urls": [it.url for it in instances]}} | sections
    parts = (client(tsdb), Telemetry(), Store(path / "state"), threading.Event(), clock)
    return Cycle(config(**sections), *parts, Times(Agenda(), instances))


def passed(it: Cycle, clock: Clock, seconds: float = 0) -> Cycle:
    """After a pass, and the round to the Alertmanagers that belongs to it."""
    clock.now += seconds
    it.pass_over()
    it.diary.settle()
    return it


def heard(it: Cycle) -> list[tuple[int, int]]:
    """Begin and end of what was heard, in seconds from NOW."""
    return [(window.start - NOW, window.end - NOW) for window in it.diary.windows.agenda.heard]


def test_a_silence_keeps_its_series_from_learning(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> None:
    """The silenced series is scored, and its excluded points are counted by reason."""
    known = FakeAlertmanager()
    known.silence(NOW - HOUR, NOW + HOUR, "service=a")
    it = passed(cycle(tsdb, clock, tmp_path, known), clock)
    assert it.scorers["rate"].series.record.state["excluded_silence"].tolist() == [7, 0]
    assert 'anomaly_score{query="rate",service="a"}' in text(it)
    assert 'anomaly_model_excluded_ratio{query="rate",reason="silence"} 0.006' in text(it)
    passed(it, clock)
    assert 'tidemark_active_windows{reason="silence"} 1.0' in text(it)


def test_a_silence_outlives_its_alertmanager(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> None:
    """What Alertmanager forgets after 120 hours is kept for a history, over a restart too."""
    known = FakeAlertmanager()
    known.silence(NOW - HOUR, NOW, "service=a")
    passed(cycle(tsdb, clock, tmp_path, known), clock).save()
    known.silences = []
    later = passed(cycle(tsdb, clock, tmp_path, known), clock)
    assert heard(later) == [(-HOUR, 0)]
    assert heard(passed(later, clock, 5 * DAY)) == []


def test_a_silence_that_is_gone_ends_now(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> None:
    """One that Alertmanager does not know any more holds no longer, one it ended early ended then."""
    known = FakeAlertmanager()
    known.silence(NOW - HOUR, NOW + DAY, "service=a")
    known.silence(NOW - HOUR, NOW + DAY, "service=b", id="two")
    it = passed(cycle(tsdb, clock, tmp_path, known), clock)
    known.silences = known.silences[1:]
    known.silence(NOW - HOUR, NOW + 60, "service=b", id="two")
    assert heard(passed(it, clock, STEP)) == [(-HOUR, STEP), (-HOUR, 60)]


def test_an_alertmanager_that_is_down_holds_nobody_up(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> None:
    """Scores go on, the metric says who is down, and what was heard of it stays."""
    first, second = FakeAlertmanager(), FakeAlertmanager()
    first.silence(NOW - HOUR, NOW + DAY, "service=a")
    it = passed(cycle(tsdb, clock, tmp_path, first, second), clock)
    first.status = 503
    passed(it, clock, STEP)
    assert 'tidemark_alertmanager_up{alertmanager="http://0"} 0.0' in text(it)
    assert 'tidemark_alertmanager_up{alertmanager="http://1"} 1.0' in text(it)
    assert heard(it) == [(-HOUR, DAY)]
    assert 'anomaly_score{query="rate",service="a"}' in text(it)


def test_past_alerts_are_found_before_a_history_is_learnt(
    tsdb: FakeTsdb, clock: Clock, tmp_path: Path
) -> None:
    """What fired for a service in its history is not learnt; it is asked for once, not once per query."""
    firing = replaced(lambda times: np.full(len(times), np.nan), NOW - DAY, NOW - DAY + 2 * HOUR, 1.0)
    tsdb.series[ALERTS] = [({"__name__": "ALERTS", "alertname": "Down", "service": "a"}, firing)]
    it = passed(cycle(tsdb, clock, tmp_path, incidents={}), clock)
    assert it.scorers["rate"].series.record.state["excluded_alert"].tolist() == [12, 0]
    asked = len(tsdb.asked)
    it.diary.recall(NOW - 2 * DAY, NOW)
    assert len(tsdb.asked) == asked


def test_without_the_sections_nobody_is_asked(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> None:
    """Past alerts are read where incidents or an Alertmanager are configured."""
    passed(cycle(tsdb, clock, tmp_path), clock)
    assert not any(form["query"] == ALERTS for _, form in tsdb.asked)


def test_past_alerts_that_cannot_be_read_hold_nobody_up(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> None:
    """The failure is counted, and the history is learnt as it is."""
    tsdb.before = lambda request: (
        httpx.Response(422, json={"status": "error"}) if b"ALERTS" in request.url.query else None
    )
    it = passed(cycle(tsdb, clock, tmp_path, incidents={}), clock)
    assert 'tidemark_events_total{event="incidents_read",result="failure"} 1.0' in text(it)
    assert 'anomaly_score{query="rate",service="a"}' in text(it)


def test_a_damaged_file_is_set_aside(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> None:
    """Windows that cannot be read are counted and kept for inquiry; scoring starts without them."""
    store = Store(tmp_path / "state")
    store.write(FILE, b"[]")
    path = tmp_path / "state" / f"{FILE}.tidemark"
    path.write_bytes(path.read_bytes()[:-1])
    it = passed(cycle(tsdb, clock, tmp_path), clock)
    assert 'tidemark_state_recoveries_total{reason="damaged"} 1.0' in text(it)
    assert not path.exists()
    assert 'anomaly_score{query="rate",service="a"}' in text(it)


def exclusion(start: float, end: float) -> Times:
    """A configured window for service a."""
    window = Window(int(start), int(end), patterns({"service": "a"}), "exclusion")
    return Times(Agenda(configured=(window,)))


def test_a_past_exclusion_is_learnt_around_at_once(tsdb: FakeTsdb, clock: Clock, tmp_path: Path) -> None:
    """A reload that excludes a past outage reads the history again without it; a coming one does not."""
    it = passed(cycle(tsdb, clock, tmp_path), clock)
    reads = tsdb.count("query_range")
    it.reload(config(), client(tsdb), exclusion(NOW + DAY, NOW + 2 * DAY))
    passed(it, clock, STEP)
    assert tsdb.count("query_range") == reads
    it.reload(config(), client(tsdb), exclusion(NOW - DAY, NOW - DAY + HOUR))
    passed(it, clock, STEP)
    assert tsdb.count("query_range") > reads
    assert it.scorers["rate"].series.record.state["excluded_exclusion"].tolist() == [6, 0]


def test_saved_state_fits_only_the_exclusions_it_learnt_around(
    tsdb: FakeTsdb, clock: Clock, tmp_path: Path
) -> None:
    """After a restart with the same exclusions nothing is read again, with others it is."""
    parts = (Telemetry(), Store(tmp_path / "state"), threading.Event(), clock)
    passed(Cycle(config(), client(tsdb), *parts, exclusion(NOW - DAY, NOW)), clock).save()
    reads = tsdb.count("query_range")
    passed(Cycle(config(), client(tsdb), *parts, exclusion(NOW - DAY, NOW)), clock)
    assert tsdb.count("query_range") == reads
    passed(Cycle(config(), client(tsdb), *parts, exclusion(NOW - DAY, NOW - HOUR)), clock)
    assert tsdb.count("query_range") > reads


def test_the_period_and_calendars_of_the_moment_are_told(clock: Clock) -> None:
    """One period at a time; each calendar is 0 or 1, and those that are gone are gone."""
    days = [{"name": "week", "days": ["mon-fri"]}, {"name": "weekend", "days": ["sat-sun"]}]
    telemetry = Telemetry()
    diary = Diary(telemetry, clock)
    diary.apply(config(periods=days), Times(), None)  # type: ignore[arg-type]
    diary.pass_over()
    assert 'anomaly_period_info{period="week"} 1.0' in telemetry.render().decode()
    clock.now += 4 * DAY
    diary.pass_over()
    told = telemetry.render().decode()
    assert 'anomaly_period_info{period="weekend"} 1.0' in told
    assert 'period="week"' not in told
