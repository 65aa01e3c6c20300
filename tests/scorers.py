"""Scorers over a fake TSDB with points every ten minutes, and what tests ask of them."""

import threading
from typing import Any

from exporter.config.query import Query
from exporter.metrics.telemetry import Telemetry
from exporter.query.scorer import Scorer
from exporter.query.surroundings import Surroundings
from exporter.tsdb.client import Client
from exporter.tsdb.settings import Settings
from tests.curves import daily
from tests.fake_tsdb import FakeTsdb

STEP = 600
NOW = 1_700_000_000 // STEP * STEP


def query(**changes: Any) -> Query:
    """A query over `rate`, with a short history."""
    options = {"step": "10m", "offset": "0s", "history": "4d", "warm_up": "2d"} | changes
    return Query.model_validate({"name": "rate", "expr": "rate", **options})


def surroundings(tsdb: FakeTsdb) -> Surroundings:
    """What a scorer of `tsdb` works with."""
    client = Client(Settings(url="http://tsdb"), transport=tsdb.transport(), wait=lambda _: False)
    return Surroundings(client, Telemetry(), "UTC", STEP, threading.Event())


def scorer(tsdb: FakeTsdb, **changes: Any) -> Scorer:
    """A scorer that has learnt nothing yet."""
    return Scorer(query(**changes), surroundings(tsdb))


def services(*names: str) -> FakeTsdb:
    """A TSDB in which each service has a daily wave of its own."""
    return FakeTsdb({"rate": [({"service": name}, daily(seed)) for seed, name in enumerate(names)]})


def turn(it: Scorer, now: float) -> None:
    """A turn as the cycle gives it: forward, then the newcomers after it."""
    it.advance(now)
    if it.awaits_newcomers():
        it.meet()


def scores(it: Scorer) -> dict[str, float]:
    """The exposed score of each service."""
    assert it.scores is not None
    values = it.scores.families["anomaly_score"].tolist()
    pairs = zip(it.scores.series, values, strict=True)
    return {labels["service"]: score for labels, score in pairs if score == score}
