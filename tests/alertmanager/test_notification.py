"""What a receiver gets, from a running Alertmanager with the shipped file and templates."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import yaml

from exporter.demo import servers
from tests.alertmanager.alerts import CONFIG, TEMPLATES, WEBHOOK, alert_of, post
from tests.alertmanager.receiver import Receiver, receiver

SUMMARY = "checkout behaves strangely: up to 75% of its signals are beyond the edge of normal"
PAGE_TEXT = f"""\
FIRING AnomalyService (critical, P2, oncall)
{SUMMARY}
request_rate has score 3.2: 12 is below the expected 120, 5.4 times the band.
Since 2026-11-20 10:00 UTC
Respond: within 30 minutes
Runbook: https://runbooks.example/AnomalyService.md
Dashboard: https://grafana.example/d/tidemark-overview/?var-service=checkout
PromQL: http://prometheus.example/graph?g0.expr=x
Silence: http://alertmanager.example/#/silences/new?filter=%7Balertname%3D%22AnomalyService%22%2C\
cluster%3D%22main%22%2Cservice%3D%22checkout%22%7D

Alertmanager: http://alertmanager.example"""

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def inbox() -> Iterator[Receiver]:
    """A local webhook."""
    with receiver() as it:
        yield it


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory: pytest.TempPathFactory, inbox: Receiver) -> Iterator[str]:
    """The shipped file with the local webhook, which also gets each page as a Slack message."""
    directory = tmp_path_factory.mktemp("notifying")
    extra = ["--web.external-url=http://alertmanager.example"]
    with servers.alertmanager(directory, _config(inbox.url), extra=extra) as server:
        yield server.url


def _config(webhook: str) -> str:
    text = CONFIG.read_text(encoding="utf-8").replace(WEBHOOK, webhook)
    content = yaml.safe_load(text.replace("group_wait: 10s", "group_wait: 1s"))
    content["templates"] = [str(TEMPLATES / "*.tmpl")]
    (page,) = [it for it in content["receivers"] if it["name"] == "page"]
    rendered = {"title": '{{ template "tidemark.title" . }}', "text": '{{ template "tidemark.text" . }}'}
    page["slack_configs"] = [{"api_url": f"{webhook}/slack", **rendered}]
    return yaml.safe_dump(content)


def test_a_page_shows_value_band_and_links(alertmanager: str, inbox: Receiver) -> None:
    """The rendered notification holds all that a person needs, and the webhook gets the same as JSON."""
    annotations = {
        "summary": SUMMARY,
        "description": "request_rate has score 3.2: 12 is below the expected 120, 5.4 times the band.",
        "runbook_url": "https://runbooks.example/AnomalyService.md",
        "dashboard_url": "https://grafana.example/d/tidemark-overview/?var-service=checkout",
    }
    since = {"startsAt": "2026-11-20T10:00:00Z", "generatorURL": "http://prometheus.example/graph?g0.expr=x"}
    page = alert_of("AnomalyService critical service=checkout", "main")
    post(alertmanager, {**page, **since, "annotations": annotations})
    messages = dict([inbox.next(), inbox.next()])
    (attachment,) = messages["/slack"]["attachments"]
    assert attachment["title"] == f"P2: checkout: {SUMMARY}"
    assert attachment["text"] == PAGE_TEXT
    assert messages["/page"]["groupLabels"] == {"cluster": "main", "service": "checkout"}
    assert messages["/page"]["alerts"][0]["annotations"] == annotations


def test_the_watchdog_reaches_its_own_receiver_at_once(alertmanager: str, inbox: Receiver) -> None:
    """The dead-man's switch does not wait for a group."""
    post(alertmanager, alert_of("TidemarkWatchdog info", "main"))
    path, message = inbox.next(seconds=20)
    assert (path, message["status"]) == ("/deadman", "firing")
