"""The series that have some labels, the strangest first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from exporter.cycle.cycle import Cycle
from exporter.shown.matches import matches
from exporter.shown.status import Links
from tests.curves import daily, replaced
from tests.cycles import NOW, STEP, Clock, new_cycle
from tests.fake_tsdb import FakeTsdb

JUMP = replaced(daily(), NOW - 3 * STEP, NOW + STEP, 1e6)
YOUNG = replaced(daily(2), 0, NOW - 2 * STEP, float("nan"))


@pytest.fixture
def cycle(tmp_path: Path) -> Iterator[Cycle]:
    """Two queries over a service that is strange in the second, one that is not, and a young series."""
    series = {
        "one": [({"service": "a"}, daily(1)), ({"service": "b"}, daily(2)), ({}, daily(3))],
        "two": [({"service": "a", "path": "/"}, JUMP), ({"service": "a", "path": "/new"}, YOUNG)],
    }
    it = new_cycle(FakeTsdb(series), Clock(), tmp_path)
    it.pass_over()
    yield it
    it.end()


def found(cycle: Cycle, query: str = "", **labels: str) -> list[tuple[str, str]]:
    """Query and path of the series that match."""
    it = matches(cycle, Links(), query, labels)
    assert it.total == len(it.findings)
    return [(one.series.query, one.series.labels.get("path", "")) for one in it.findings]


def test_all_that_is_known_of_a_service_comes_strangest_first(cycle: Cycle) -> None:
    """Series of every query, and those without a score at the end."""
    assert found(cycle, service="a") == [("two", "/"), ("one", ""), ("two", "/new")]


def test_a_query_can_be_named(cycle: Cycle) -> None:
    """Without labels that is all of its series."""
    assert found(cycle, "two") == [("two", "/"), ("two", "/new")]
    assert len(found(cycle, "one")) == 3


def test_a_missing_label_is_an_empty_one(cycle: Cycle) -> None:
    """As in PromQL: the empty value finds the series that have no such label."""
    assert found(cycle, service="") == [("one", "")]


def test_where_nothing_fits_nothing_is_found(cycle: Cycle) -> None:
    """An unknown query and an unknown value."""
    assert found(cycle, "three") == []
    assert found(cycle, service="z") == []
