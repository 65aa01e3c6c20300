"""The overview of a running cycle: states of queries, and what is strange in it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import httpx
import pytest

from exporter.config import schema
from exporter.config.file import LoadedConfig
from exporter.shown.overview import links, overview
from exporter.shown.status import Status
from tests.curves import daily, replaced
from tests.cycles import NOW, STEP, Clock, config, new_cycle
from tests.fake_tsdb import FakeTsdb


def shown(cycle: object) -> Status:
    """The overview of a cycle over `one`, `two` and `three`."""
    loaded = LoadedConfig(config("one"), "0" * 64, Path("/etc/tidemark.yml"))
    return overview(cycle, loaded, links(loaded, None), NOW - 60.0, "")  # type: ignore[arg-type]


def test_what_is_strange_is_shown_with_its_service_and_its_beginning(tmp_path: Path) -> None:
    """A jump three points ago is found under its service, and dated."""
    jump = replaced(daily(), NOW - 3 * STEP, NOW + STEP, 1e6)
    cycle = new_cycle(FakeTsdb({"one": [({"service": "a"}, jump)], "two": []}), Clock(), tmp_path)
    cycle.pass_over()
    (service,) = shown(cycle).strange.services
    assert (service.name, service.count) == ("a", 1)
    assert service.findings[0].since == NOW - 3 * STEP
    assert service.findings[0].series.direction == "above"
    cycle.end()


def test_every_query_has_its_state(tmp_path: Path) -> None:
    """Scored, empty, failing and, once nothing comes for a while, stale."""
    tsdb = FakeTsdb({"one": [({"service": "a"}, daily())], "two": []})
    tsdb.before = lambda it: httpx.Response(500, text="no") if b"three" in it.url.query + it.content else None
    clock = Clock()
    cycle = new_cycle(tsdb, clock, tmp_path, "one", "two", "three")
    cycle.pass_over()
    found = {it.name: it for it in shown(cycle).queries}
    assert {name: it.state for name, it in found.items()} == {
        "one": "scored",
        "two": "empty",
        "three": "failing",
    }
    assert found["three"].reason == "http_5xx"
    clock.now += 5 * STEP
    assert next(it.state for it in shown(cycle).queries if it.name == "one") == "stale"
    cycle.end()


def test_before_the_first_cycle_there_is_nothing_to_show(tmp_path: Path) -> None:
    """All queries are learning, nothing is strange, and no cycle has ended."""
    cycle = new_cycle(FakeTsdb(), Clock(), tmp_path)
    found = shown(cycle)
    assert {it.state for it in found.queries} == {"learning"}
    assert (found.strange.total_series, found.last_cycle_time) == (0, None)
    assert not math.isnan(found.interval)
    cycle.end()


@pytest.mark.parametrize(
    ("named", "flavour", "graph"),
    [
        ("", None, "http://tsdb/graph"),
        ("", "prometheus", "http://tsdb/graph"),
        ("", "victoriametrics", "http://tsdb/vmui/"),
        ("http://seen", "victoriametrics", "http://seen/graph"),
    ],
)
def test_graphs_are_drawn_by_the_tsdb_unless_another_is_named(named: str, flavour: Any, graph: str) -> None:
    """VictoriaMetrics has a page of its own; a Prometheus that is named comes first."""
    web = schema.Web(links=schema.Links(prometheus=named or None))
    loaded = LoadedConfig(config("one").model_copy(update={"web": web}), "0" * 64, Path("/etc/tidemark.yml"))
    found = links(loaded, flavour)
    assert (found.graph, found.grafana) == (graph, "")
    assert found.runbooks.endswith("/docs/runbooks")
