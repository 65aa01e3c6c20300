"""Backtests: the same code as live, and what it finds."""

from __future__ import annotations

import threading
from typing import Any

import httpx
import numpy as np
import pytest

from exporter.backtest import Backtest, backtest
from exporter.config.query import Query
from exporter.metrics.telemetry import Telemetry
from exporter.models.contract import Scores
from exporter.query.scorer import Scorer
from exporter.query.surroundings import Surroundings
from exporter.tsdb.client import Client
from exporter.tsdb.errors import TsdbError
from exporter.tsdb.settings import Settings
from tests.curves import DAY, between, daily, replaced
from tests.fake_tsdb import Curve, FakeTsdb

STEP = 600
NOW = 1_700_006_400 // DAY * DAY
START = NOW - 3 * DAY
INCIDENT = NOW - 2 * DAY


def query(**changes: Any) -> Query:
    """Ten-minute points over two weeks."""
    options = {"name": "load", "expr": "load", "step": "10m", "offset": "30s", "history": "14d"}
    return Query.model_validate({**options, **changes})


def scorer(tsdb: FakeTsdb, **changes: Any) -> Scorer:
    """A fresh one over a fake TSDB."""
    client = Client(Settings(url="http://tsdb"), transport=tsdb.transport(), wait=lambda _: False)
    return Scorer(query(**changes), Surroundings(client, Telemetry(), "UTC", STEP, threading.Event()))


def tsdb(**curves: Curve) -> FakeTsdb:
    """One series per service."""
    return FakeTsdb({"load": [({"service": name}, curve) for name, curve in curves.items()]})


def ran(server: FakeTsdb, top: int = 10, **changes: Any) -> Backtest:
    """Three days of it."""
    return backtest(scorer(server, **changes), START, NOW, top, lambda _: None)


def outage(service: int = 1) -> Curve:
    """A wave that falls to 20 for an hour."""
    return replaced(daily(service), INCIDENT, INCIDENT + 3600, 20.0)


def test_a_backtest_is_what_would_have_happened() -> None:
    """Point for point the scores of a backtest are those of a cycle that ran at the time."""
    live, past = scorer(tsdb(a=outage(), b=daily(2))), scorer(tsdb(a=outage(), b=daily(2)))
    heard: dict[str, list[np.ndarray]] = {"live": [], "past": []}

    def listener(name: str) -> Any:
        def hear(_: int, __: np.ndarray, scores: Scores) -> None:
            heard[name].append(np.array([scores.score, scores.lower, scores.upper]))

        return hear

    for one in (live, past):
        one.advance(START + 30)
    live.listener, past.listener = listener("live"), listener("past")
    for time in range(START + STEP, START + DAY + 1, STEP):
        live.advance(time + 30)
    for time in range(START + 6 * 3600, START + DAY + 1, 6 * 3600):
        past.advance(time + 30)
    assert len(heard["live"]) == DAY // STEP
    assert np.array_equal(heard["live"], heard["past"], equal_nan=True)


def test_an_outage_is_one_happening_with_its_picture() -> None:
    """When it began and ended, the farthest point with its band, and the way there."""
    found = ran(tsdb(a=outage(), b=daily(2)))
    worst = found.worst[0]
    assert (worst.labels, worst.start) == ({"service": "a"}, INCIDENT)
    assert INCIDENT + 1800 <= worst.end <= INCIDENT + 3 * 3600
    assert worst.value == 20 < worst.lower < worst.expected
    assert worst.score > 1.5
    assert worst.band is not None
    assert worst.band.times[-1] == worst.peak


def test_points_and_happenings_are_counted() -> None:
    """Every scored point counts; happenings are told per series and week, beside what was promised."""
    found = ran(tsdb(a=outage(), b=daily(2)), sensitivity="low")
    assert (found.series, found.points) == (2, 2 * 3 * DAY // STEP)
    assert found.weeks == pytest.approx(6 / 7)
    assert found.per_week == found.happenings / found.weeks
    assert found.promised == pytest.approx(7 / 30, rel=0.05)


def test_two_outages_are_two_happenings() -> None:
    """More than half an hour of calm lies between them."""
    twice = replaced(outage(), INCIDENT + DAY, INCIDENT + DAY + 3600, 20.0)
    starts = {it.start for it in ran(tsdb(a=twice)).worst}
    assert {INCIDENT, INCIDENT + DAY} <= starts


def test_a_series_that_comes_on_the_way_is_learnt_from_its_own_past() -> None:
    """As live, it is scored once it is older than the warm-up."""
    young = between(daily(3), START - DAY, NOW + DAY)
    found = ran(tsdb(a=daily(1), young=young), warm_up="2d")
    assert found.series == 2
    assert found.points == pytest.approx((3 + 2) * DAY // STEP, rel=0.02)


def test_the_top_is_cut_and_the_count_is_not() -> None:
    """`top` bounds what is told, not what is counted."""
    found = ran(tsdb(a=outage()), top=0)
    assert (found.worst, found.happenings >= 1) == ([], True)


def test_a_tsdb_that_fails_is_told() -> None:
    """There is no half backtest."""
    server = tsdb(a=daily(1))
    server.before = lambda _: httpx.Response(422, json={"status": "error"})
    with pytest.raises(TsdbError):
        ran(server)


def test_a_query_without_series_has_no_rate() -> None:
    """Nothing was scored, so nothing is said per week."""
    assert np.isnan(ran(FakeTsdb({"load": []})).per_week)
