"""What is strange now, by service: sorted, cut, counted, each with its beginning and its last hours."""

from __future__ import annotations

import math

import numpy as np

from exporter.cycle.recent import APART, Recent
from exporter.metrics.exposition import QueryScores, Snapshot
from exporter.metrics.labels import render_labels
from exporter.shown.findings import NEAREST, PER_SERVICE, SERVICES, strange

TIME = 1_700_000_000


def scores(services: list[str], values: list[float], time: int = TIME, query: str = "q") -> QueryScores:
    """A query whose series are told apart by a path, and belong to `services`."""
    series = [
        {"query": query, "path": str(row)} | ({"service": it} if it else {})
        for row, it in enumerate(services)
    ]
    numbers = {"score": values, "value": values, "expected": [0.0] * len(values)}
    families = {f"anomaly_{name}": np.array(it) for name, it in numbers.items()}
    families |= {"anomaly_lower": np.full(len(values), -1.0), "anomaly_upper": np.ones(len(values))}
    facts = {"since": np.full(len(values), float(time - 600))}
    return QueryScores(query, time, tuple(map(render_labels, series)), series, families, (), facts)


def test_services_and_their_series_come_strangest_first() -> None:
    """The service with the highest score leads; who is not above the edge is not among them."""
    found = strange(
        Snapshot.of(TIME, [scores(["a", "b", "a", "b", ""], [2.0, 3.0, 5.0, 1.0, math.nan])]), Recent()
    )
    assert [(it.name, it.count) for it in found.services] == [("a", 2), ("b", 1)]
    assert [it.series.score for it in found.services[0].findings] == [5.0, 2.0]
    assert (found.total_services, found.total_series) == (2, 3)
    assert found.services[0].findings[0].since == TIME - 600


def test_series_without_a_service_are_a_group_of_their_own() -> None:
    """The label decides, not the query."""
    found = strange(Snapshot.of(TIME, [scores(["", ""], [2.0, 3.0])]), Recent())
    assert [(it.name, it.count) for it in found.services] == [("", 2)]


def test_what_is_not_shown_is_counted() -> None:
    """Five thousand strange series become a short list and two numbers."""
    services = [f"s{it % 100}" for it in range(5000)]
    found = strange(Snapshot.of(TIME, [scores(services, [1.0 + it for it in range(1, 5001)])]), Recent())
    assert len(found.services) == SERVICES
    assert all(len(it.findings) == PER_SERVICE and it.count == 50 for it in found.services)
    assert (found.total_services, found.total_series) == (100, 5000)


def test_where_nothing_is_strange_the_nearest_are_shown() -> None:
    """Without a score above 1 there are no services, and no beginning."""
    found = strange(Snapshot.of(TIME, [scores(["a"] * 9, [it / 10 for it in range(9)])]), Recent())
    assert not found.services
    assert [it.series.score for it in found.nearest] == [0.8, 0.7, 0.6, 0.5, 0.4][:NEAREST]
    assert math.isnan(found.nearest[0].since)


def test_a_finding_carries_its_last_hours_up_to_now() -> None:
    """The moments that were kept are followed by the present point."""
    recent = Recent()
    for step in range(3):
        recent.take([scores(["a"], [float(step)], TIME + step * APART)], ["q"])
    found = strange(Snapshot.of(TIME, [scores(["a"], [9.0], TIME + 2 * APART + 60)]), recent)
    band = found.services[0].findings[0].recent
    assert band
    assert list(band.value) == [0.0, 1.0, 2.0, 9.0]
    assert list(band.times) == [TIME, TIME + APART, TIME + 2 * APART, TIME + 2 * APART + 60]


def test_too_short_a_past_is_no_picture() -> None:
    """Two points make no picture."""
    recent = Recent()
    recent.take([scores(["a"], [2.0])], ["q"])
    found = strange(Snapshot.of(TIME, [scores(["a"], [2.0])]), recent)
    assert found.services[0].findings[0].recent is None
