"""docs/packs/: every pack has its page, and the page says what the pack and its rules are."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from exporter.config.file import parse
from exporter.demo.servers import find
from exporter.packs import library
from tests.rules.promql import REPOSITORY, groups, metric_names

DOCS = REPOSITORY / "docs" / "packs"
RULES = REPOSITORY / "rules" / "packs"


def rows(text: str) -> list[list[str]]:
    """The cells of every row of every table."""
    lines = re.findall(r"^\| (.+) \|$", text, re.MULTILINE)
    return [[it.replace("\\|", "|") for it in re.split(r" (?<!\\)\| ", line)] for line in lines]


def page(name: str) -> str:
    """The page of a pack."""
    return (DOCS / f"{name}.md").read_text(encoding="utf-8")


def test_every_pack_has_a_row_and_a_page() -> None:
    """The table of packs, the pages and the rules are those of the packs that there are."""
    shown = re.findall(r"^\| \[([\w-]+)\]\(([\w-]+)\.md\)", page("README"), re.MULTILINE)
    assert shown == [(name, name) for name in library.names()]
    assert {path.stem for path in DOCS.glob("*.md")} == {"README", *library.names()}
    assert {path.stem for path in RULES.glob("*.yml")} <= set(library.names())


@pytest.mark.parametrize("name", library.names())
def test_the_page_has_every_parameter(name: str) -> None:
    """Kind and default of each row are those of the pack."""
    found = {(it[0], it[1], it[2]) for it in rows(page(name)) if it[1] in ("metric", "label", "pattern")}
    parameters = library.pack(name).parameters
    assert found == {(f"`{key}`", it.kind, f"`{it.default}`") for key, it in parameters.items()}


@pytest.mark.parametrize("name", library.names())
def test_the_page_has_every_query_alert_and_series(name: str) -> None:
    """Queries, alerts and recorded series are named on it."""
    text = page(name)
    rules = [rule for group in groups(RULES / f"{name}.yml") for rule in group["rules"]]
    missing = [it["name"] for it in library.pack(name).entries if f"`{it['name']}`" not in text]
    missing += [it["alert"] for it in rules if "alert" in it and f"[{it['alert']}](" not in text]
    recorded = {it["record"] for it in rules if "record" in it}
    assert missing == []
    assert all(f"`{it}{{" in text for it in recorded if ":proxy_" in it)


@pytest.mark.parametrize("name", library.names())
def test_the_page_has_every_threshold_of_its_file(name: str) -> None:
    """Name, default and order are those of its first group; no other group sets a default."""
    shown = re.findall(r'^\| `([\w:]+:default)\{severity="(\w+)"\}` \| ([\d.]+) \|', page(name), re.MULTILINE)
    own, *others = groups(RULES / f"{name}.yml")
    assert shown == [
        (it["record"], it["labels"]["severity"], it["expr"].removeprefix("vector(").removesuffix(")"))
        for it in own["rules"]
        if it["record"].endswith(":default")
    ]
    assert not [it for group in others for it in group["rules"] if it.get("record", "").endswith(":default")]


@pytest.mark.parametrize("name", library.names())
def test_the_page_tells_when_each_alert_fires(name: str) -> None:
    """Alert and severity of each row are those of the rule."""
    shown = {it[0].split("]")[0][1:]: it[1] for it in rows(page(name)) if it[0].startswith("[")}
    rules = [rule for group in groups(RULES / f"{name}.yml") for rule in group["rules"] if "alert" in rule]
    severities = {it["alert"]: it["labels"]["severity"] for it in rules}
    expected = {alert: "critical, warning" if "$" in it else it for alert, it in severities.items()}
    assert shown == expected


def test_the_examples_are_configurations() -> None:
    """Each block of YAML is accepted by Tidemark, or holds rules or rule files of Prometheus."""
    for block in re.findall(r"```yaml\n(.*?)```", page("README"), re.DOTALL):
        if "groups" in block:
            (group,) = yaml.safe_load(block)["groups"]
            (rule,) = group["rules"]
            assert rule["record"] in {it["record"] for it in groups(RULES / "node.yml")[0]["rules"]}
        elif "rule_files" in block:
            assert all(list(REPOSITORY.glob(it)) for it in yaml.safe_load(block)["rule_files"])
        else:
            assert parse("tsdb: {url: 'http://localhost:9090'}\n" + block, environment={}).queries


def test_the_rules_take_other_names(tmp_path: Path) -> None:
    """After the command of the page the rules read what the pack reads with such parameters."""
    given = {"predictions": "scoring_decisions_total", "probability": "scoring_probability"}
    named = {**given, "class": "verdict", "positive": "reject|review"}
    content = {
        "tsdb": {"url": "http://localhost:9090"},
        "packs": [{"name": "ml-service", "parameters": named}],
    }
    (tmp_path / "tidemark.yml").write_text(yaml.safe_dump(content))
    (command,) = re.findall(r"^tidemark (.+)$", page("ml-service"), re.MULTILINE)
    subprocess.run(
        [sys.executable, "-m", "exporter", *command.split()],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        check=True,
        timeout=60,
        capture_output=True,
    )
    (rules,) = (tmp_path / "assets" / "rules" / "packs").iterdir()
    (rates,) = [it for it in groups(rules) if it["name"] == "tidemark-ml-service-rates"]
    read = {name for rule in rates["rules"] for name in metric_names(rule["expr"])}
    assert read == set(library.pack("ml-service").metrics(given))
    text = rules.read_text(encoding="utf-8")
    assert 'verdict=~"reject|review"' in text
    assert not re.search(r"\bclass\b", text)
    done = subprocess.run(
        [find("promtool"), "check", "rules", rules], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", library.names())
def test_the_parameters_on_the_page_are_accepted(name: str) -> None:
    """A block that tries the pack with other names is a configuration."""
    for block in re.findall(r"```yaml\n(.*?)```", page(name), re.DOTALL):
        assert parse("tsdb: {url: 'http://localhost:9090'}\n" + block, environment={}).queries
