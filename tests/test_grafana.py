"""The dashboards: up to date, complete in title, unit and description, and asking only for what exists."""

from __future__ import annotations

import re
import subprocess
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from exporter.demo.servers import find
from grafana import build
from tests.grafana.dashboards import DASHBOARDS, PanelQuery, load, panel_queries, panels
from tests.rules.promql import REPOSITORY, known_names, metric_names

PROVISIONING = REPOSITORY / "grafana" / "provisioning"
UNITS = {"short", "none", "s", "bytes", "percentunit", "reqps"}
KINDS = {"stat", "timeseries", "table", "state-timeline"}
NAMES = sorted(build.DASHBOARDS)
QUERIES = list(panel_queries('query="request_rate", service="checkout"'))
BUILT_IN = {"__rate_interval", "__url_time_range", "__data", "__all"}

each_dashboard = pytest.mark.parametrize("name", NAMES)
each_panel = pytest.mark.parametrize(
    "panel",
    [panel for name in NAMES for panel in panels(load(name))],
    ids=[panel["title"] for name in NAMES for panel in panels(load(name))],
)


def test_the_json_is_what_the_source_builds() -> None:
    """`python -m grafana.build` would change nothing."""
    assert [path.stem for path in DASHBOARDS] == NAMES
    for path in DASHBOARDS:
        assert path.read_text(encoding="utf-8") == build.text(path.stem)


@each_dashboard
def test_a_dashboard_keeps_its_identity(name: str) -> None:
    """The uid is stable, there is no id, and a provisioned dashboard is not editable."""
    dashboard = load(name)
    assert dashboard["uid"] == f"tidemark-{name}"
    assert "id" not in dashboard
    assert dashboard["editable"] is False
    assert dashboard["schemaVersion"] <= 39
    assert dashboard["tags"] == ["tidemark"]


@each_dashboard
def test_variables_are_as_the_linter_wants_them(name: str) -> None:
    """Data source, job and instance can be chosen; the variables used are those that are defined."""
    variables = {it["name"]: it for it in load(name)["templating"]["list"]}
    assert next(iter(variables)) == "datasource"
    assert variables["datasource"]["query"] == "prometheus"
    for label in ("job", "instance"):
        assert variables[label]["multi"]
        assert variables[label]["includeAll"]
    used = set(re.findall(r"\$\{?(\w+)", str(load(name))))
    assert used - BUILT_IN == set(variables)


@each_dashboard
def test_panels_lie_side_by_side(name: str) -> None:
    """Ids are unique, and no panel covers another or leaves the grid of 24 columns."""
    placed = load(name)["panels"]
    assert len({panel["id"] for panel in placed}) == len(placed)
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in placed)
    assert not [
        (a["title"], b["title"]) for a, b in combinations(placed, 2) if overlap(a["gridPos"], b["gridPos"])
    ]


def overlap(a: dict[str, int], b: dict[str, int]) -> bool:
    """Whether two places share a cell."""
    beside = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
    above = a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
    return not (beside or above)


@each_panel
def test_a_panel_explains_itself(panel: dict[str, Any]) -> None:
    """Title, description and a unit of Grafana's are there, in a panel type that Grafana 10 to 12 have."""
    assert panel["title"]
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
    assert panel["type"] in KINDS


@each_panel
def test_a_panel_asks_the_chosen_data_source(panel: dict[str, Any]) -> None:
    """Panel and targets use the data source variable, and every target has its own letter."""
    chosen = {"type": "prometheus", "uid": "${datasource}"}
    assert [it["datasource"] for it in (panel, *panel["targets"])] == [chosen] * (1 + len(panel["targets"]))
    assert len({it["refId"] for it in panel["targets"]}) == len(panel["targets"])


@each_panel
def test_rates_use_the_rate_interval(panel: dict[str, Any]) -> None:
    """Every range in a panel is $__rate_interval."""
    for target in panel["targets"]:
        assert set(re.findall(r"\[(.*?)\]", target["expr"])) <= {"$__rate_interval"}


@each_panel
def test_what_the_detector_says_of_itself_is_chosen_by_job_and_instance(panel: dict[str, Any]) -> None:
    """Every series of the detector's own is selected by the variables job and instance."""
    for target in panel["targets"]:
        for selector in re.findall(r"\b(?:tidemark|process)_\w+(\{.*?\})?", target["expr"]):
            assert 'job=~"$job", instance=~"$instance"' in selector


@pytest.mark.parametrize("query", QUERIES, ids=lambda it: it.panel)
def test_panels_ask_for_metrics_that_exist(query: PanelQuery) -> None:
    """Every metric name is in the catalogue or recorded in rules/, and no variable is left."""
    assert metric_names(query.expr) <= known_names()
    assert "$" not in query.expr


def test_prometheus_parses_every_panel_query(tmp_path: Path) -> None:
    """promtool accepts each of them as the expression of a rule."""
    rules = [{"record": f"panel:query:{i}", "expr": query.expr} for i, query in enumerate(QUERIES)]
    path = tmp_path / "panels.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}), encoding="utf-8")
    command = [str(find("promtool")), "check", "rules", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


@each_dashboard
def test_overrides_name_lines_that_are_drawn(name: str) -> None:
    """A line's colour and the fill of the band hang on names that are legends or renamed columns."""
    for panel in panels(load(name)):
        drawn = {it["legendFormat"] for it in panel["targets"]}
        for change in panel["transformations"]:
            drawn |= set(change["options"].get("renameByName", {}).values())
        for override in panel["fieldConfig"]["overrides"]:
            fills = [it["value"] for it in override["properties"] if it["id"] == "custom.fillBelowTo"]
            assert {override["matcher"]["options"], *fills} <= drawn


def test_the_band_is_filled_with_the_value_on_top() -> None:
    """The overview fills from the upper edge down to the lower one and draws the value last."""
    (band,) = [panel for panel in panels(load("overview")) if panel["title"] == "Value and band"]
    fills = {
        override["matcher"]["options"]: it["value"]
        for override in band["fieldConfig"]["overrides"]
        for it in override["properties"]
        if it["id"] == "custom.fillBelowTo"
    }
    assert fills == {"upper": "lower"}
    assert band["targets"][-1]["legendFormat"] == "value"


@pytest.mark.parametrize("path", sorted(PROVISIONING.rglob("*.yml")), ids=lambda path: path.parent.name)
def test_provisioning_is_of_the_current_version(path: Path) -> None:
    """Grafana reads provisioning files of apiVersion 1."""
    assert yaml.safe_load(path.read_text(encoding="utf-8"))["apiVersion"] == 1
