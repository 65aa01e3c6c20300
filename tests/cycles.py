"""Cycles over a fake TSDB, with a clock that a test moves."""

import threading
from dataclasses import dataclass
from pathlib import Path

from exporter.config.schema import Config
from exporter.cycle.cycle import Cycle
from exporter.metrics.telemetry import Telemetry
from exporter.store import Store
from exporter.tsdb.client import Client
from exporter.tsdb.settings import Settings
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


def new_cycle(tsdb: FakeTsdb, clock: Clock, directory: Path, *names: str) -> Cycle:
    """A cycle as it is after a start of the process."""
    parts = (Telemetry(), Store(directory / "state"), threading.Event())
    return Cycle(config(*(names or ("one", "two"))), client(tsdb), *parts, clock)


def text(cycle: Cycle) -> str:
    """What a scrape would show, scores and self."""
    return (cycle.snapshot.text + cycle.telemetry.render()).decode()
