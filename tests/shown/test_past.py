"""The past of one series: from scraped scores, from the expression, or from memory, and never for long."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np
import pytest

from exporter.commands import wiring
from exporter.config.file import load
from exporter.metrics.telemetry import Telemetry
from exporter.promql import scores_of
from exporter.shown.past import FAMILIES, POINTS, REACHES, SLOTS, Past, step_of
from exporter.shown.portrait import Portrait
from exporter.shown.status import Band
from exporter.tsdb.client import Client
from exporter.tsdb.settings import Settings
from tests.curves import daily, replaced
from tests.fake_tsdb import FakeTsdb
from tests.web.serving import NOW, a_portrait

SCORES = scores_of("q", {"service": "a"}, {"service", "path"}, FAMILIES)
KEY = b'{"service":"a"}'


def past(tsdb: FakeTsdb, patience: float = 5.0) -> Past:
    """A reader of `tsdb` that does not try again."""
    settings = Settings(url="http://tsdb", retries=0)
    return Past(Client(settings, transport=tsdb.transport(), now=lambda: NOW), patience)


def asked(**changes: object) -> Portrait:
    """The series whose past is asked for."""
    return replace(a_portrait(), key=KEY, others=frozenset({"service", "path"}), expr="rate", **changes)  # type: ignore[arg-type]


def test_scraped_scores_are_drawn_as_they_were() -> None:
    """All four families, over a day and over a week, each in one bounded request."""
    series = [({"__name__": name}, daily(seed)) for seed, name in enumerate(FAMILIES)]
    tsdb = FakeTsdb({SCORES: series})
    day, week = past(tsdb).pictures(asked())
    assert (day.source, week.source) == ("scores", "scores")
    assert [day.reach, week.reach] == list(REACHES)
    assert all(len(it.band.times) <= POINTS + 2 for it in (day, week))
    assert day.band.times[-1] <= NOW
    np.testing.assert_allclose(day.band.upper[:-1], daily(2)(np.array(day.band.times[:-1])))
    assert len(day.band.expected) == len(day.band.times)
    assert tsdb.count("/query_range") == 2


def test_without_scraped_scores_the_expression_is_asked_anew() -> None:
    """The value is the query's own, the band what is in memory; where neither is known is a gap."""
    tsdb = FakeTsdb({"rate": [({"service": "a"}, daily())]})
    recent = Band((NOW - 600, NOW - 300, NOW - 130), (1, 1, 1), (0, 0, 3), (2, 2, 5))
    finding = replace(a_portrait().finding, recent=recent)
    day, week = past(tsdb).pictures(asked(finding=finding))
    assert (day.source, week.source) == ("expression", "expression")
    known = np.isfinite(day.band.lower)
    assert np.isfinite(day.band.value).all()
    assert 3 <= known.sum() <= 7
    assert not known[:-10].any()


def test_what_was_not_scraped_yet_is_filled_with_the_value() -> None:
    """Before Tidemark was scraped there is no band, and the value is that of the expression."""
    began = NOW - 3_600
    scraped = [({"__name__": it}, replaced(daily(1), 0, began, np.nan)) for it in FAMILIES]
    tsdb = FakeTsdb({SCORES: scraped, "rate": [({"service": "a"}, daily(2))]})
    day, _ = past(tsdb).pictures(asked())
    old = np.array(day.band.times[:-1]) < began
    assert day.source == "both"
    np.testing.assert_array_equal(np.isfinite(day.band.lower[:-1]), ~old)
    expected = np.where(old, *(daily(seed)(np.array(day.band.times[:-1])) for seed in (2, 1)))
    np.testing.assert_allclose(day.band.value[:-1], expected)


def test_the_present_point_ends_the_picture() -> None:
    """What is strange now is seen, although the points of the picture are minutes apart."""
    tsdb = FakeTsdb({"rate": [({"service": "a"}, daily())]})
    day, _ = past(tsdb).pictures(asked(time=NOW - 1))
    assert (day.band.times[-1], day.band.value[-1], day.band.upper[-1]) == (NOW - 1, 9.0, 2.0)


def test_without_an_answer_memory_must_do() -> None:
    """A TSDB in trouble is asked once, and the page says what it said."""
    tsdb = FakeTsdb(trouble=lambda _: httpx.Response(503, text="down"))
    day, week = past(tsdb).pictures(asked())
    assert (day.source, week.source) == ("memory", "memory")
    assert "503" in day.trouble
    assert day.trouble == week.trouble
    assert day.band == a_portrait().finding.recent
    assert len(tsdb.asked) == 1


def test_a_series_that_the_tsdb_does_not_know_is_no_trouble() -> None:
    """Nothing found is an answer."""
    day, _ = past(FakeTsdb()).pictures(asked())
    assert (day.source, day.trouble) == ("memory", "")


def test_who_finds_no_slot_gets_what_is_in_memory() -> None:
    """Readers beyond the slots wait a moment, and then ask nobody."""
    inside, release = threading.Semaphore(0), threading.Event()

    def slow(_: httpx.Request) -> httpx.Response:
        inside.release()
        release.wait(10)
        return httpx.Response(503, text="late")

    reader = past(FakeTsdb(trouble=slow), patience=0.01)
    threads = [threading.Thread(target=reader.pictures, args=(asked(),)) for _ in range(SLOTS)]
    for it in threads:
        it.start()
    for _ in range(SLOTS):
        assert inside.acquire(timeout=10)
    day, _ = reader.pictures(asked())
    release.set()
    for it in threads:
        it.join(10)
    assert "others are reading" in day.trouble


def test_readers_have_a_client_of_their_own_that_gives_up_early(tmp_path: Path) -> None:
    """It asks once, for a few seconds and a few series at most, whatever the cycle may do."""
    (tmp_path / "tidemark.yml").write_text(
        'tsdb: {url: "http://127.0.0.1:9", timeout: 1m, retries: 5, concurrency: 20}\n'
        "queries: [{name: q, expr: up}]\n"
    )
    telemetry = Telemetry()
    telemetry.set("tsdb_up", 1)
    with wiring.reader(load(tmp_path / "tidemark.yml"), telemetry, threading.Event()) as client:
        it = client.settings
        assert (it.timeout, it.retries, it.concurrency) == (5.0, 0, SLOTS)
        assert it.max_series <= 50
        assert Past(client).pictures(asked())[0].source == "memory"
    assert b'tidemark_tsdb_requests_total{code="error"} 1.0' in telemetry.render()
    assert b"tidemark_tsdb_up 1.0" in telemetry.render()


def test_a_closed_reader_answers_from_memory() -> None:
    """After a reload the old reader asks nobody any more."""
    reader = past(FakeTsdb(), patience=0.01)
    reader.close()
    assert "others are reading" in reader.pictures(asked())[0].trouble


@pytest.mark.parametrize(
    ("step", "day", "week"), [(15.0, 120, 840), (60.0, 120, 840), (600.0, 600, 840), (3600.0, 3600, 3600)]
)
def test_points_are_as_many_as_a_picture_needs(step: float, day: int, week: int) -> None:
    """Whole minutes, and never more than the query has."""
    assert [step_of(asked(step=step), reach) for reach in REACHES] == [day, week]


def test_the_question_names_exactly_one_series() -> None:
    """Labels that only other series have are asked to be absent; quotes are escaped."""
    found = scores_of("q", {"path": 'a"b\\'}, {"path", "service"}, ("x", "y"))
    assert found == 'max by (__name__) ({__name__=~"x|y", query="q", path="a\\"b\\\\", service=""})'
