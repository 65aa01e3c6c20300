"""A cycle over two expressions, and what it stands on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from exporter.cycle.cycle import Cycle
from tests.curves import daily
from tests.cycles import Clock, new_cycle
from tests.fake_tsdb import FakeTsdb


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
