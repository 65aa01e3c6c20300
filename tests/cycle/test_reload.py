"""A reload keeps what still fits, and tells what the new file says."""

import re

from exporter.config.query import Query
from exporter.cycle.cycle import Cycle
from tests.curves import daily
from tests.cycles import STEP, Clock, client, config, text
from tests.fake_tsdb import FakeTsdb


def test_a_reload_keeps_what_was_learnt(cycle: Cycle, tsdb: FakeTsdb, clock: Clock) -> None:
    """A query that stays goes on without reading history; a new one learns, an old one is gone."""
    cycle.pass_over()
    tsdb.series["three"] = [({"service": "a"}, daily(3))]
    tsdb.asked.clear()
    clock.now += STEP
    cycle.reload(config("two", "three"), client(tsdb))
    cycle.pass_over()
    asked = {form["query"] for path, form in tsdb.asked if path.endswith("query_range")}
    assert asked == {"three"}
    assert {it.query for it in cycle.snapshot.scores} == {"two", "three"}
    assert 'query="one"' not in text(cycle)


def test_a_reload_tells_the_new_sensitivities(cycle: Cycle, tsdb: FakeTsdb) -> None:
    """What is promised per category is told for every query, and forgotten with its category."""
    category = {"name": "shop", "match": {"service": "shop"}, "sensitivity": "high"}
    for categories in ([category], []):
        query = Query.model_validate({"name": "one", "expr": "one", "step": "10m", "categories": categories})
        cycle.reload(config("one").model_copy(update={"queries": (query,)}), client(tsdb))
        cycle.pass_over()
        told = cycle.telemetry.render().decode()
        assert ('anomaly_sensitivity{category="shop",query="one"} 7.0' in told) == bool(categories)
        assert 'anomaly_sensitivity{category="",query="one"} 1.0' in told


def test_a_reload_tells_what_the_file_says_of_queries_and_services(cycle: Cycle, tsdb: FakeTsdb) -> None:
    """Signal and direction of each query and the calls between services are told, and follow a reload."""
    for signal, called in (("traffic", {"a": ("b", "c")}), (None, {"a": ("c",)})):
        query = config("one").queries[0].model_copy(update={"signal": signal, "direction": "down"})
        changed = {"queries": (query,), "dependencies": called}
        cycle.reload(config("one").model_copy(update=changed), client(tsdb))
        cycle.pass_over()
        told = cycle.telemetry.render().decode()
        assert re.findall(r'anomaly_query_info\{direction="down",query="one",signal="(\w*)"\} 1', told) == [
            signal or ""
        ]
        calls = re.findall(r'anomaly_dependency_info\{depends_on="(\w)",distance="1",service="a"\} 1', told)
        assert tuple(calls) == called["a"]


def test_a_changed_expression_learns_again(cycle: Cycle, tsdb: FakeTsdb, clock: Clock) -> None:
    """Under the same name another expression starts from its own history."""
    cycle.pass_over()
    before = cycle.scorers["one"]
    queries = tuple(
        query.model_copy(update={"expr": "two"}) if query.name == "one" else query
        for query in config("one", "two").queries
    )
    clock.now += STEP
    cycle.reload(config("one", "two").model_copy(update={"queries": queries}), client(tsdb))
    cycle.pass_over()
    assert cycle.scorers["one"] is not before
    assert before.reader.retired
    assert len(cycle.snapshot.scores) == 2
