"""Packs: ready queries that behave as if they stood in the file."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from string import Template
from typing import Any

import pytest
import yaml

from exporter.assets.values import Values
from exporter.config.file import parse
from exporter.config.problems import ConfigError
from exporter.config.schema import Config
from exporter.demo.servers import find
from exporter.packs import library
from tests.rules.promql import BY_PROMETHEUS, REPOSITORY, RULES, groups, metric_names, recorded

TSDB = {"url": "http://localhost:9090"}
OTHER_NAMES = {
    "predictions": "scoring:decisions_total",
    "probability": "scoring_probability",
    "service": "app",
    "class": "verdict",
    "positive": r'reject|re\d+|"odd"',
}


def parsed(**keys: Any) -> Config:
    """The configuration with these keys beside `tsdb`."""
    return parse(yaml.safe_dump({"tsdb": TSDB, **keys}), environment={})


def test_a_pack_is_a_whole_configuration() -> None:
    """Where the TSDB is and one pack suffice; `queries` may be absent or empty."""
    names = [it["name"] for it in library.pack("ml-service").queries({})]
    assert len(names) == 12
    for keys in ({}, {"queries": []}):
        assert [query.name for query in parsed(packs=["ml-service"], **keys).queries] == names


def test_all_packs_together_are_a_configuration() -> None:
    """Every query of every pack is valid, and none has the name of another."""
    assert len(parsed(packs=library.names()).queries) == sum(
        len(library.pack(it).entries) for it in library.names()
    )


def test_its_queries_behave_as_if_they_stood_in_the_file() -> None:
    """Written out, the same queries give the same values, with the same defaults of `scoring`."""
    shared = {"scoring": {"history": "10d", "sensitivity": "low"}}
    shared |= {"categories": [{"name": "a", "match": {"service": "a"}, "sensitivity": "high"}]}
    packed = parsed(packs=["ml-service"], **shared)
    written = parsed(queries=library.pack("ml-service").queries({}), **shared)
    assert packed.queries == written.queries
    assert {query.history for query in packed.queries} == {10 * 86_400}


def test_own_queries_come_first_and_win() -> None:
    """A query of the file replaces one of the same name in the pack, in all its keys."""
    own = [{"name": "mine", "expr": "up"}, {"name": "model_predictions_1h", "expr": "other"}]
    first, second, *rest = parsed(queries=own, packs=["ml-service"]).queries
    assert (first.name, second.expr, second.minimum_deviation) == ("mine", "other", 0)
    assert len(rest) == 11
    assert "model_predictions_1h" not in {query.name for query in rest}


def test_groups_may_name_the_queries_of_a_pack() -> None:
    """A joint score is made of them as of any others."""
    group = {
        "name": "model",
        "by": ["service"],
        "queries": ["model_predictions_1h", "model_positive_ratio_1h"],
    }
    assert parsed(packs=["ml-service"], groups=[group]).groups[0].queries == tuple(group["queries"])


def test_names_of_metrics_and_labels_can_be_chosen() -> None:
    """A parameter stands in every query and in the metrics, and none of the defaults is left."""
    pack = library.pack("ml-service")
    text = " ".join(it["expr"] for it in pack.queries(OTHER_NAMES)) + " ".join(pack.metrics(OTHER_NAMES))
    assert not re.search(r"\b(?:model_prediction\w*|service|class)\b", text)
    assert 'verdict=~"reject|re\\\\d+|\\"odd\\""' in text


@pytest.mark.parametrize(
    ("packs", "told"),
    [
        (["web"], f"packs[0]: no pack has the name 'web'; there are: {', '.join(library.names())}"),
        (["ml-service", "ml-service"], "packs[1]: every pack may stand once, found 'ml-service' again"),
        ("ml-service", "packs: expected a list, found 'ml-service'"),
        ([7], "packs[0]: expected a mapping, found '7'"),
        ([{"nam": "x"}], "packs[0].nam: is not a known key: did you mean name?"),
        (
            [{"name": "ml-service", "parameters": {"clas": "x"}}],
            "packs[0].parameters.clas: is not a parameter of the pack: did you mean class?",
        ),
        (
            [{"name": "ml-service", "parameters": {"service": "my-service"}}],
            "packs[0].parameters.service: expected the name of a label, found 'my-service'",
        ),
        (
            [{"name": "ml-service", "parameters": {"predictions": "up + up"}}],
            "packs[0].parameters.predictions: expected the name of a metric, found 'up + up'",
        ),
        (
            [{"name": "ml-service", "parameters": {"positive": 1}}],
            "packs[0].parameters.positive: expected text, found '1'",
        ),
    ],
)
def test_a_pack_that_cannot_be_used_is_told_once(packs: Any, told: str) -> None:
    """One line says what is wrong; that its queries are missing is no second mistake."""
    with pytest.raises(ConfigError) as caught:
        parsed(queries=[{"name": "a", "expr": "up"}], packs=packs)
    assert told in [line.partition(": ")[2] for line in caught.value.lines()]
    if isinstance(packs, list):
        with pytest.raises(ConfigError) as alone:
            parsed(packs=packs)
        assert not any("queries" in line for line in alone.value.lines())


def test_no_packs_and_no_queries_is_refused() -> None:
    """An empty list of packs scores nothing."""
    with pytest.raises(ConfigError, match="queries: is required"):
        parsed(packs=[])


def test_a_default_that_does_not_fit_points_at_the_pack() -> None:
    """What is wrong with a query of a pack is said on the line of the pack."""
    text = yaml.safe_dump({"tsdb": TSDB}) + "scoring: {history: 1d}\npacks:\n\n  - ml-service\n"
    with pytest.raises(ConfigError) as caught:
        parse(text, environment={})
    assert {line.split(":")[1] for line in caught.value.lines()} == {"6"}


@pytest.mark.parametrize("name", library.names())
def test_what_a_pack_leaves_open_is_what_it_uses(name: str) -> None:
    """Every parameter stands in some text, every default could be given, and names are unique."""
    pack = library.pack(name)
    texts = (*(it["expr"] for it in pack.entries), *pack.templates, *pack.others)
    templates = [Template(text) for text in texts]
    assert {used for it in templates for used in it.get_identifiers()} == set(pack.parameters)
    assert not list(pack.faults({key: it.default for key, it in pack.parameters.items()}))
    everywhere = [it["name"] for other in library.names() for it in library.pack(other).entries]
    assert len(everywhere) == len(set(everywhere))


@pytest.mark.parametrize("name", library.names())
def test_every_query_says_what_is_normal_for_it(name: str) -> None:
    """No query of a pack is left without its domain, its step and the least deviation that matters."""
    for query in library.pack(name).entries:
        assert {"domain", "step", "minimum_deviation"} <= query.keys(), query["name"]


@pytest.mark.parametrize("name", library.names())
def test_a_pack_names_what_it_reads(name: str) -> None:
    """`metrics` are those of the queries but the `others`, and these are read by query, rule or runbook."""
    pack = library.pack(name)
    queries = set().union(*(metric_names(it["expr"]) for it in pack.queries({})))
    rules = [rule for group in groups(RULES / "packs" / f"{name}.yml") for rule in group["rules"]]
    raw = set().union(*(metric_names(it["expr"]) for it in rules)) - recorded() - BY_PROMETHEUS
    assert set(pack.metrics({})) == queries - set(pack.further({})) - BY_PROMETHEUS
    assert raw <= set(pack.metrics({})) | set(pack.further({}))


@pytest.mark.parametrize("name", library.names())
def test_a_query_of_a_pack_keeps_its_service_or_instance(name: str) -> None:
    """The labels by which the queries aggregate have one of both, or what the page says instead."""
    page = (REPOSITORY / "docs" / "packs" / f"{name}.md").read_text(encoding="utf-8")
    for query in library.pack(name).queries({}):
        kept = set(re.findall(r"\w+", " ".join(re.findall(r"\bby \(([^)]*)\)", query["expr"]))))
        assert kept & {"service", "instance", "namespace", "job", "topic", "fleet"}, query["name"]
        assert kept & set(re.findall(r"\w+", page))


@pytest.mark.parametrize("name", [*library.names(), "other names"])
def test_the_expressions_are_promql(tmp_path: Path, name: str) -> None:
    """promtool parses every query, whatever the parameters are."""
    given = OTHER_NAMES if name == "other names" else {}
    queries = library.pack("ml-service" if given else name).queries(given)
    rules = [{"record": "x:y:z", "expr": it["expr"]} for it in queries]
    path = tmp_path / "rules.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "pack", "rules": rules}]}))
    done = subprocess.run(
        [find("promtool"), "check", "rules", "--lint=none", path], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", library.names())
def test_the_rules_follow_the_parameters(tmp_path: Path, name: str) -> None:
    """Written with other names, the rules load, read what the queries then read, and keep no default."""
    pack = library.pack(name)
    given = {key: f"own_{key}" for key in pack.parameters}
    path = tmp_path / "rules.yml"
    shipped = (RULES / "packs" / f"{name}.yml").read_text(encoding="utf-8")
    path.write_text(Values(packs={name: given}).in_pack(name, shipped), encoding="utf-8")
    rules = [rule for group in groups(path) for rule in group["rules"]]
    read = set().union(*(metric_names(it["expr"]) for it in rules))
    own = {rule["record"] for rule in rules if "record" in rule}
    labels = {label for rule in rules if "record" in rule for label in rule.get("labels", {})}
    assert not labels & {it.default for it in pack.parameters.values()} - {"service"}
    assert read - own - recorded() - BY_PROMETHEUS <= {*pack.metrics(given), *pack.further(given)}
    done = subprocess.run(
        [find("promtool"), "check", "rules", path], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
