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
from exporter.packs import library
from grafana import build
from tests.grafana.dashboards import (
    BY_ALERTMANAGER,
    DASHBOARDS,
    Chosen,
    annotation_queries,
    load,
    panel_queries,
    panels,
    variables,
)
from tests.rules.promql import REPOSITORY, known_names, metric_names

PROVISIONING = REPOSITORY / "grafana" / "provisioning"
UNITS = {"short", "none", "s", "h", "bytes", "percentunit", "reqps", "cps", "dateTimeAsIso"}
KINDS = {"stat", "timeseries", "table", "state-timeline", "bargauge"}
NAMES = sorted(build.DASHBOARDS)
UIDS = {f"tidemark-{name}" for name in NAMES}
CHOSEN = Chosen('query="request_rate", service="checkout"')
QUERIES = [*panel_queries(CHOSEN), *annotation_queries(CHOSEN)]
BUILT_IN = {"__rate_interval", "__range", "__range_s", "__url_time_range", "__data", "__field", "__all"}
REGIONS = {"1d", "2m", "$__range", "$__range:60s"}
"""Ranges that are no rate's: a day, two scrapes, and the time that is shown."""

each_dashboard = pytest.mark.parametrize("name", NAMES)


def addresses(found: Any) -> list[str]:
    """Every `url` at any depth."""
    if isinstance(found, list):
        return [url for it in found for url in addresses(it)]
    if not isinstance(found, dict):
        return []
    own = [found["url"]] if found.get("url") else []
    return [*own, *(url for it in found.values() for url in addresses(it))]


def test_the_json_is_what_the_source_builds() -> None:
    """`python -m grafana.build` would change nothing."""
    assert [path.stem for path in DASHBOARDS] == NAMES, "run python -m grafana.build"
    for path in DASHBOARDS:
        assert path.read_text(encoding="utf-8") == build.text(path.stem), "run python -m grafana.build"


def test_the_dashboards_are_those_of_the_product() -> None:
    """Their uids are in links and bookmarks, so none may change; each pack has its own."""
    own = {"alerts", "drift", "exporter", "input", "models", "overview", "series", "services"}
    assert set(NAMES) == own | set(library.names())


def test_every_dashboard_is_documented() -> None:
    """docs/dashboards.md has a section for each, and none for another."""
    text = (REPOSITORY / "docs" / "dashboards.md").read_text(encoding="utf-8")
    documented = re.findall(r"^### .*\(`(tidemark-[\w-]+)`\)$", text, re.MULTILINE)
    assert sorted(documented) == sorted(UIDS - {f"tidemark-{it}" for it in library.names()})


@each_dashboard
def test_a_dashboard_keeps_its_identity(name: str) -> None:
    """The uid is stable, there is no id, and a provisioned dashboard is not editable."""
    dashboard = load(name)
    assert dashboard["uid"] == f"tidemark-{name}"
    assert 8 <= len(dashboard["uid"]) <= 40
    assert "id" not in dashboard
    assert dashboard["editable"] is False
    assert dashboard["schemaVersion"] == 38
    assert dashboard["tags"] == ["tidemark"]
    assert dashboard["title"].startswith("Tidemark / ")
    assert dashboard["description"].endswith(".")


@each_dashboard
def test_the_fields_are_those_of_the_schema(name: str) -> None:
    """Every field that Grafana 10 restricts to some values has one of them."""
    dashboard = load(name)
    assert dashboard["graphTooltip"] in (0, 1, 2)
    assert all(it["type"] in {"link", "dashboards"} and it["title"] for it in dashboard["links"])
    for it in dashboard["templating"]["list"]:
        assert it["type"] in {"query", "datasource", "constant"}
        assert it["hide"] in (0, 1, 2)
        assert it.get("refresh", 1) in (1, 2)
    for it in dashboard["annotations"]["list"]:
        assert {"datasource", "enable", "iconColor", "name"} <= set(it)
        assert ("expr" in it) != ("target" in it)
    for panel in panels(dashboard):
        steps = panel["fieldConfig"]["defaults"].get("thresholds", {}).get("steps", [{"value": None}])
        values = [it["value"] for it in steps]
        assert values[0] is None
        assert values[1:] == sorted(values[1:])


@each_dashboard
def test_variables_are_as_the_linter_wants_them(name: str) -> None:
    """The data source comes first, labels can be chosen several at once, and what is used is defined."""
    found = variables(load(name))
    assert next(iter(found)) == "datasource"
    assert found["datasource"]["query"] == "prometheus"
    for label in {"job", "instance", "query", "service", "team"} & set(found):
        assert found[label]["multi"]
        assert found[label]["includeAll"]
        assert found[label]["refresh"] == 2
        assert found[label]["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    text = re.sub(r"var-\w+=\$\{\w+.*?\}", "", str(load(name)))
    used = set(re.findall(r"\$\{?(\w+)", text)) - {"1"}
    assert used - BUILT_IN == set(found) - ({"status"} - used)


@each_dashboard
def test_links_lead_to_dashboards_and_variables_that_exist(name: str) -> None:
    """Each link between dashboards names a uid and variables there, and carries time and data source."""
    for url in addresses(load(name)):
        if not url.startswith("/d/"):
            assert url.startswith(("https://", "${status}/"))
            continue
        found = re.fullmatch(r"/d/tidemark-([\w-]+)/\?(.*)", url)
        assert found, url
        assert found[2].startswith("${datasource:queryparam}&${__url_time_range}")
        assert set(re.findall(r"var-(\w+)=", found[2])) <= set(variables(load(found[1]))), url


@each_dashboard
def test_every_dashboard_leads_to_all_others(name: str) -> None:
    """The menu takes the time range and the variables along, and the status page is one click away."""
    menu, *pages = load(name)["links"]
    assert menu["type"] == "dashboards"
    assert menu["tags"] == ["tidemark"]
    assert menu["includeVars"]
    assert menu["keepTime"]
    assert any(it["url"] == "${status}/" for it in pages)


def test_a_series_leads_to_its_own_page() -> None:
    """Its value and its score lead to the page of the detector about this series."""
    leads = [url for url in addresses(load("series")) if url.startswith("${status}/series?")]
    assert len(leads) == 2
    assert set(leads) == {
        "${status}/series?query=${__field.labels.query}&label=service%3D${__field.labels.service}"
    }


@each_dashboard
def test_pages_of_the_documentation_are_there(name: str) -> None:
    """Links to the documentation name files of this repository."""
    for url in addresses(load(name)):
        _, docs, path = url.partition("/blob/main/")
        assert not docs or (REPOSITORY / path).is_file(), url


@each_dashboard
def test_panels_lie_side_by_side(name: str) -> None:
    """Ids are unique, and no panel covers another or leaves the grid of 24 columns."""
    placed = load(name)["panels"]
    assert len({panel["id"] for panel in placed}) == len(placed)
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in placed)
    assert not [
        (a["title"], b["title"]) for a, b in combinations(placed, 2) if overlap(a["gridPos"], b["gridPos"])
    ]


def targets(name: str) -> list[dict[str, Any]]:
    """The questions of all panels."""
    return [target for panel in panels(load(name)) for target in panel["targets"]]


def overlap(a: dict[str, int], b: dict[str, int]) -> bool:
    """Whether two places share a cell."""
    beside = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
    above = a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
    return not (beside or above)


@each_dashboard
def test_a_panel_explains_itself(name: str) -> None:
    """Title, description and a unit of Grafana's are there, in a panel type that Grafana 10 to 12 have."""
    for panel in panels(load(name)):
        assert panel["title"]
        assert panel["description"].endswith((".", "?")), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS, panel["title"]
        assert panel["type"] in KINDS


@each_dashboard
def test_a_panel_asks_the_chosen_data_source(name: str) -> None:
    """Panel and targets use the data source variable, and every target has its own letter."""
    for panel in panels(load(name)):
        asked = [it["datasource"] for it in (panel, *panel["targets"])]
        assert asked == [{"type": "prometheus", "uid": "${datasource}"}] * (1 + len(panel["targets"]))
        assert len({it["refId"] for it in panel["targets"]}) == len(panel["targets"])


@each_dashboard
def test_rates_use_the_rate_interval(name: str) -> None:
    """The range of a rate is $__rate_interval; others are a day or the time that is shown."""
    for target in targets(name):
        ranges = set(re.findall(r"\[(.*?)\]", target["expr"]))
        rates = len(re.findall(r"\b(?:rate|increase|irate)\(", target["expr"]))
        assert target["expr"].count("[$__rate_interval]") == rates, target["expr"]
        assert ranges <= {"$__rate_interval"} | REGIONS, target["expr"]


@each_dashboard
def test_what_the_detector_says_of_itself_is_chosen_by_job_and_instance(name: str) -> None:
    """Every series of the detector's own is selected by the variables job and instance."""
    for target in targets(name):
        for selector in re.findall(r"\b(?:tidemark|process)_\w+(\{.*?\})?", target["expr"]):
            assert 'job=~"$job", instance=~"$instance"' in selector


@each_dashboard
def test_panels_ask_for_metrics_that_exist(name: str) -> None:
    """Every metric name is in the catalogue, recorded in rules/, or a server's own; no variable is left."""
    known = known_names() | BY_ALERTMANAGER
    for query in QUERIES:
        if query.dashboard == name:
            assert metric_names(query.expr) <= known, query.panel
            assert "$" not in query.expr.replace('"$1"', ""), query.panel


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
    """A line's colour, a column's unit and the fill of the band hang on names that are drawn."""
    for panel in panels(load(name)):
        drawn = {it["legendFormat"] for it in panel["targets"]} | {"query", "service", "combined"}
        for change in panel["transformations"]:
            drawn |= set(change["options"].get("renameByName", {}).values())
        for override in panel["fieldConfig"]["overrides"]:
            fills = [it["value"] for it in override["properties"] if it["id"] == "custom.fillBelowTo"]
            assert {override["matcher"]["options"], *fills} <= drawn


@each_dashboard
def test_rows_of_a_table_can_be_merged(name: str) -> None:
    """Columns have no metric names, which would keep rows of the same series apart."""
    for panel in panels(load(name)):
        if panel["type"] == "table":
            assert all(it["expr"].startswith("max without () (") for it in panel["targets"])
            assert all(it["instant"] and it["format"] == "table" for it in panel["targets"])


@each_dashboard
def test_the_band_is_filled_with_the_value_on_top(name: str) -> None:
    """Every picture of a band fills from the upper edge down to the lower one and draws the value last."""
    for panel in panels(load(name)):
        if not panel["title"].endswith("alue and band"):
            continue
        fills = {
            override["matcher"]["options"]: it["value"]
            for override in panel["fieldConfig"]["overrides"]
            for it in override["properties"]
            if it["id"] == "custom.fillBelowTo"
        }
        assert fills == {"upper": "lower"}
        assert panel["targets"][-1]["legendFormat"] == "value"


@pytest.mark.parametrize("name", library.names())
def test_a_pack_has_the_band_and_the_score_of_each_of_its_queries(name: str) -> None:
    """A query that is added to a pack comes into its dashboard by itself."""
    titles = [panel["title"] for panel in panels(load(name))]
    for entry in library.pack(name).entries:
        assert f"{entry['name']}: value and band" in titles
        assert f"{entry['name']}: score" in titles


@pytest.mark.parametrize("path", sorted(PROVISIONING.rglob("*.yml")), ids=lambda path: path.parent.name)
def test_provisioning_is_of_the_current_version(path: Path) -> None:
    """Grafana reads provisioning files of apiVersion 1."""
    assert yaml.safe_load(path.read_text(encoding="utf-8"))["apiVersion"] == 1


def test_both_kinds_of_source_are_provisioned() -> None:
    """Prometheus is the default; VictoriaMetrics stands beside it behind the same type."""
    path = PROVISIONING / "datasources" / "tidemark.yml"
    sources = {it["name"]: it for it in yaml.safe_load(path.read_text(encoding="utf-8"))["datasources"]}
    assert set(sources) == {"Prometheus", "VictoriaMetrics"}
    assert {it["type"] for it in sources.values()} == {"prometheus"}
    assert [name for name, it in sources.items() if it["isDefault"]] == ["Prometheus"]
    assert len({it["uid"] for it in sources.values()}) == 2
