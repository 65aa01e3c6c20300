"""The main job on real servers: metrics in, scores out, an alert, a page, and a dashboard that shows it."""

from __future__ import annotations

import html
import io
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from rich.console import Console

from exporter.demo import servers
from exporter.demo.loopback import get_json, get_text, serving
from exporter.demo.stage import Stage, stage
from exporter.demo.story import VICTIM, Story
from exporter.demo.world import SERVICES
from exporter.metrics.labels import exposed_labels, render_labels
from exporter.metrics.published import SCORES
from tests.grafana.dashboards import Chosen, annotation_queries, of_pack, panel_queries

pytestmark = pytest.mark.servers

QUERIES = ("error_ratio", "request_rate", "request_seconds")
OF_THE_INCIDENT = Chosen(f'query="request_seconds", service="{VICTIM}"')
PANELS = [
    replace(it, expr=re.sub(r'query=~?"[^"]+"', 'query="request_seconds"', it.expr)) if of_pack(it) else it
    for it in panel_queries(OF_THE_INCIDENT)
]
"""Every question of every panel; the demo has no packs, so theirs are asked of one of its queries."""
LACKING = {
    "alertmanager_": "Alertmanager is neither scraped nor read",
    "anomaly_chosen_model_": "no query leaves the model open",
    "anomaly_confidence": "no query asks for it",
    "anomaly_dependency_info": "no dependencies are configured",
    "anomaly_episodes": "they are counted by the minute",
    "anomaly_firing:ratio_1d": "it is counted by the minute",
    "_group_": "there are no groups",
    "anomaly_level_shift_": "no new level came to stay",
    "anomaly_model_excluded_ratio": "nothing was excluded",
    "anomaly_pattern": "not every incident makes one",
    "drift_changed_": "nothing drifts",
    "drift_consensus": "no test is exposed beside the combined one",
    "drift_failures_total": "no comparison failed",
    "drift_movement_ratio": "nothing drifts",
    "drift_shift": "nothing drifts",
    "forecast_": "no forecast is configured",
    "tidemark_input_invalid_samples_total": "every sample is possible",
    "tidemark_state_recoveries_total": "the state was never damaged",
}
"""Parts of queries that the demo has no data for, and why; they are asked all the same."""


@pytest.fixture(scope="module")
def told() -> io.StringIO:
    """What the story printed."""
    return io.StringIO()


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory, told: io.StringIO) -> Iterator[Stage]:
    """The demo's stage after the page for the incident was delivered; the incident is still on."""
    with stage(tmp_path_factory.mktemp("demo") / "stage", "victoriametrics", lambda _: None) as running:
        story = Story(running, Console(file=told, width=200))
        story.until_first_score()
        story.calm(20)
        story.incident()
        story.until_page()
        yield running


def query(url: str, expr: str) -> list[dict[str, Any]]:
    """The instant answer of a real Prometheus."""
    result: list[dict[str, Any]] = get_json(f"{url}/api/v1/query?query={quote(expr)}")["data"]["result"]
    return result


def eventually(is_so: Callable[[], bool], seconds: float = 60) -> bool:
    """Whether `is_so` becomes true in time."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.5)
    return True


@pytest.mark.usefixtures("played")
def test_the_story_is_told_in_order(told: io.StringIO) -> None:
    """Score above the edge, alert pending, firing, and a notification with its runbook, in that order."""
    rest = told.getvalue()
    marks = ("first scores", "incident", "above the edge", "pending", "firing", "notified     [page]")
    for mark in (*marks, "runbook_url"):
        before, found, rest = rest.partition(mark)
        assert found, f"no {mark!r} after what came before it: {before}"
    assert "docs/runbooks/AnomalyService.md" in rest


def test_every_series_of_every_query_is_scored(played: Stage) -> None:
    """Prometheus has scraped each score family for each service under the source's own labels."""
    for family in SCORES:
        if family.name == "anomaly_lower":
            continue  # queries with `direction: up` have a lower edge only where the domain gives one
        found = {
            (it["metric"]["query"], it["metric"]["service"]) for it in query(played.prometheus, family.name)
        }
        assert found == {(name, service.name) for name in QUERIES for service in SERVICES}, family.name


def test_the_input_of_every_series_is_told(played: Stage) -> None:
    """Prometheus has a quality and a lag for each series, and both say that all is well."""
    wanted = len(QUERIES) * len(SERVICES)
    for well in ("anomaly_input_quality_ratio > 0.95", "anomaly_input_lag_seconds < 120"):
        assert query(played.prometheus, f"count({well})")[0]["value"][1] == str(wanted), well


def test_the_services_that_are_well_stay_within_the_edge(played: Stage) -> None:
    """The incident of one service raises no sustained alarm of another."""
    alerts = get_json(f"{played.prometheus}/api/v1/alerts")["data"]["alerts"]
    paged = {it["labels"].get("service") for it in alerts if it["labels"]["alertname"] == "AnomalyService"}
    assert paged == {VICTIM}


def test_rules_and_targets_are_healthy(played: Stage) -> None:
    """No rule evaluates with an error, and every target is up; a slow group may not have had its turn."""
    groups = get_json(f"{played.prometheus}/api/v1/rules")["data"]["groups"]
    assert [rule["name"] for group in groups for rule in group["rules"] if rule["health"] == "err"] == []
    targets = get_json(f"{played.prometheus}/api/v1/targets")["data"]["activeTargets"]
    assert {it["health"] for it in targets} == {"up"}


@pytest.mark.parametrize("dashboard", sorted({it.dashboard for it in PANELS}))
def test_every_panel_shows_data(played: Stage, dashboard: str) -> None:
    """Each query of each panel returns data from the Prometheus of the demo, once the incident is there."""
    asked = [it for it in PANELS if it.dashboard == dashboard]
    silent = [
        (it.panel, it.expr)
        for it in asked
        if not any(name in it.expr for name in LACKING)
        and not eventually(lambda it=it: bool(query(played.prometheus, it.expr)), 90)
    ]
    assert not silent


def test_what_the_demo_lacks_is_asked_without_a_fault(played: Stage) -> None:
    """The other queries, and those of the annotations, are answered too, with data or without."""
    annotations = list(annotation_queries(OF_THE_INCIDENT))
    for it in (*PANELS, *annotations):
        if it in annotations or any(name in it.expr for name in LACKING):
            answer = get_json(f"{played.prometheus}/api/v1/query?query={quote(it.expr)}")
            assert answer["status"] == "success", it


def test_alerts_and_calendars_are_marked(played: Stage) -> None:
    """The incident's alert is an annotation of the dashboards that can be about it."""
    marked = {
        it.dashboard
        for it in annotation_queries(OF_THE_INCIDENT)
        if it.panel == "Alerts" and query(played.prometheus, it.expr)
    }
    assert {"overview", "services", "series"} <= marked


def test_two_clicks_lead_from_the_notification_to_the_picture(played: Stage, told: io.StringIO) -> None:
    """The dashboard link, at Tidemark in the place of Grafana, lists the service; from there to the band."""
    link = re.search(rf"dashboard_url: http://localhost:3000(/d/\S*{VICTIM})", told.getvalue())
    assert link
    listed = get_text(f"{played.exporter}{link[1]}")
    assert all(name in listed for name in QUERIES)
    onward = re.search(rf'href="(series\?query=request_seconds&amp;label=service%3D{VICTIM})"', listed)
    assert onward
    page = get_text(f"{played.exporter}/{html.unescape(onward[1])}")
    assert "score" in page
    assert re.search(r'<svg [^>]*aria-label="The last day: values from', page)


def test_a_hangup_reloads_the_configuration(played: Stage) -> None:
    """SIGHUP takes over a changed file, and a bad file changes nothing but the metric that says so."""
    config = played.log.parent / "tidemark.yml"
    good = config.read_text()
    metric = "tidemark_config_last_reload_successful"
    config.write_text("tsdb: {}\n")
    os.kill(played.process.pid, signal.SIGHUP)
    assert eventually(lambda: f"{metric} 0.0" in get_text(f"{played.exporter}/metrics"))
    assert "anomaly_score{" in get_text(f"{played.exporter}/metrics")
    config.write_text(good + "    minimum_deviation: 0.001\n")
    os.kill(played.process.pid, signal.SIGHUP)
    assert eventually(lambda: f"{metric} 1.0" in get_text(f"{played.exporter}/metrics"))
    assert "anomaly_score{" in get_text(f"{played.exporter}/metrics")


@pytest.mark.parametrize(
    "value", ['say "hi"', "back\\slash", "two\nlines", "ünïcödé 日本", "{brace}=", " spaces "], ids=repr
)
def test_label_values_survive_a_real_scrape(value: str, tmp_path: Path) -> None:
    """Whatever stands in a label of the source, Prometheus stores it unchanged."""
    labels = exposed_labels((("service", value),), "odd")
    text = b"# TYPE anomaly_score gauge\nanomaly_score" + render_labels(labels) + b"1\n"
    with serving(lambda _: text) as url:
        target = url.removeprefix("http://")
        job = f"job_name: t, honor_labels: true, static_configs: [{{targets: ['{target}']}}]"
        config = f"global: {{scrape_interval: 1s}}\nscrape_configs: [{{{job}}}]\n"
        with servers.prometheus(tmp_path / "prometheus", config) as prometheus:
            assert eventually(lambda: bool(query(prometheus.url, "anomaly_score")), 20)
            assert query(prometheus.url, "anomaly_score")[0]["metric"]["service"] == value
