"""Every channel that a receiver may use, through a running Alertmanager: the whole of what is delivered."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import EmailMessage, Message
from pathlib import Path
from typing import Any

import pytest

from exporter.assets.receivers import Desk, Mail, channel_of, composed
from exporter.demo import servers
from tests.alertmanager.alerts import CONFIG, TEMPLATES, alert_of, post
from tests.alertmanager.mailbox import Mailbox, mailbox
from tests.alertmanager.receiver import Receiver, receiver

CHOSEN = (
    "page=slack:#pages",
    "page-platform=pagerduty",
    "page-security=opsgenie",
    "ticket=email:team@example.org",
)
ANNOTATIONS = {
    "summary": "checkout is strange: <75%> of its signals & more",
    "description": "request_rate has score 3.2: 12 is below the expected 120, 5.4 times the band.",
    "runbook_url": "https://runbooks.example/AnomalyService.md",
    "dashboard_url": "https://grafana.example/d/tidemark-overview/?var-service=check+out",
}
PROMETHEUS = "http://prometheus.example/graph?g0.expr=x"
SILENCE = (
    "http://alertmanager.example/#/silences/new?filter=%7Balertname%3D%22AnomalyService%22%2C"
    "cluster%3D%22{}%22%2Cservice%3D%22check%20%5C%22out%22%7D"
)
DASHBOARD, MUTE = ANNOTATIONS["dashboard_url"], SILENCE.format("mail").replace("5C", "5c")
HTML = f"""\
<!DOCTYPE html>
<html lang="en">
<body style="font-family: sans-serif; max-width: 45em">
<h2 style="color: #b26a00; font-size: 1.1em">checkout is strange: &lt;75%&gt; of its signals &amp; more</h2>
<p>{ANNOTATIONS["description"]}</p>
<p>FIRING AnomalyService (warning, P3, ml)<br>
Since 2026-11-20 10:00 UTC<br>
Respond within 2 hours</p>
<p><a href="http://alertmanager.example">Alertmanager</a> · \
<a href="{ANNOTATIONS["runbook_url"]}">Runbook</a> · <a href="{DASHBOARD.replace("+", "&#43;")}">\
Dashboard</a> · <a href="{PROMETHEUS}">PromQL</a> · <a href="{MUTE}">Silence</a></p>
</body>
</html>"""

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def inbox() -> Iterator[Receiver]:
    """Stands for Slack, PagerDuty and Opsgenie."""
    with receiver() as it:
        yield it


@pytest.fixture(scope="module")
def letters() -> Iterator[Mailbox]:
    """Stands for the mail server."""
    with mailbox() as it:
        yield it


@pytest.fixture(scope="module")
def alertmanager(
    tmp_path_factory: pytest.TempPathFactory, inbox: Receiver, letters: Mailbox
) -> Iterator[str]:
    """The file as it is composed for the four channels, with short waits and secrets in their files."""
    directory = tmp_path_factory.mktemp("channels")
    contents = {
        "page": f"{inbox.url}/slack",
        "page-platform": "pd-key",
        "page-security": "og-key",
        "mail": "pw",
    }
    for name, content in contents.items():
        (directory / name).write_text(content)
    config = _config(directory, inbox.url, letters.smarthost)
    extra = ["--web.external-url=http://alertmanager.example"]
    with servers.alertmanager(directory, config, extra=extra) as server:
        yield server.url


def _config(directory: Path, fake: str, smarthost: str) -> str:
    """Only addresses of services and waits differ from what `tidemark assets write` would write."""
    mail = Mail(smarthost, "alertmanager@example.org", "sender")
    desk = Desk(dict(map(channel_of, CHOSEN)), mail, str(directory))
    text = composed(CONFIG.read_text(encoding="utf-8"), desk)
    urls = f'  pagerduty_url: "{fake}/pagerduty"\n  opsgenie_api_url: "{fake}/opsgenie"\n'
    text = text.replace("global:\n", f"global:\n{urls}  smtp_require_tls: false\n")
    for wait in ("group_wait: 10s", "group_wait: 30s"):
        text = text.replace(wait, "group_wait: 1s")
    return text.replace("templates/*.tmpl", str(TEMPLATES / "*.tmpl"))


def _sent(alertmanager: str, cluster: str, **labels: str) -> None:
    """Send the one alert of this file; `labels` override those of its rule, and so choose the receiver."""
    it = alert_of("AnomalyService critical", cluster)
    it["labels"] |= {"service": 'check "out', **labels}
    since = {"startsAt": "2026-11-20T10:00:00Z", "generatorURL": PROMETHEUS, "annotations": ANNOTATIONS}
    post(alertmanager, {**it, **since})


def _text(rank: str, respond: str, cluster: str) -> str:
    return f"""\
FIRING AnomalyService ({rank})
{ANNOTATIONS["summary"]}
{ANNOTATIONS["description"]}
Since 2026-11-20 10:00 UTC
Respond: {respond}
Runbook: {ANNOTATIONS["runbook_url"]}
Dashboard: {ANNOTATIONS["dashboard_url"]}
PromQL: {PROMETHEUS}
Silence: {SILENCE.format(cluster)}

Alertmanager: http://alertmanager.example"""


def _of(inbox: Receiver, path: str) -> dict[str, Any]:
    got, message = inbox.next(seconds=20)
    assert got == path
    return message


def test_slack_gets_links_and_escaped_text(alertmanager: str, inbox: Receiver) -> None:
    """The message is Slack's own markup, in the channel that was named, in red for what is critical."""
    _sent(alertmanager, "slack")
    message = _of(inbox, "/slack")
    (attachment,) = message["attachments"]
    assert message["channel"] == "#pages"
    assert attachment["color"] == "danger"
    assert attachment["title"] == 'P2: check "out: checkout is strange: &lt;75%&gt; of its signals &amp; more'
    assert attachment["title_link"] == "http://alertmanager.example"
    assert attachment["text"] == (
        "*FIRING AnomalyService* (critical, P2, oncall)\n"
        f"{ANNOTATIONS['description']}\n"
        "Since 2026-11-20 10:00 UTC. Respond within 30 minutes.\n"
        "<http://alertmanager.example|Alertmanager>"
        f" · <{ANNOTATIONS['runbook_url']}|Runbook> · <{ANNOTATIONS['dashboard_url']}|Dashboard>"
        f" · <{PROMETHEUS}|PromQL> · <{SILENCE.format('slack')}|Silence>\n"
    )


def test_pagerduty_gets_an_event_with_links(alertmanager: str, inbox: Receiver) -> None:
    """An event of the second API with severity, text and links, under the key of the file."""
    _sent(alertmanager, "pd", priority="P1", team="platform")
    message = _of(inbox, "/pagerduty")
    payload = message["payload"]
    assert (message["routing_key"], message["event_action"]) == ("pd-key", "trigger")
    assert payload["summary"] == f'P1: check "out: {ANNOTATIONS["summary"]}'
    assert payload["severity"] == "critical"
    assert payload["custom_details"]["firing"] == _text("critical, P1, platform", "at once", "pd")
    assert message["links"] == [
        {"href": ANNOTATIONS["runbook_url"], "text": "Runbook"},
        {"href": ANNOTATIONS["dashboard_url"], "text": "Dashboard"},
    ]


def test_opsgenie_gets_priority_and_text(alertmanager: str, inbox: Receiver) -> None:
    """An alert with the priority of the routing table and the team as its tag."""
    _sent(alertmanager, "og", priority="P1", team="security")
    message = _of(inbox, "/opsgenie/v2/alerts")
    assert message["message"] == f'P1: check "out: {ANNOTATIONS["summary"]}'
    assert message["description"] == _text("critical, P1, security", "at once", "og")
    assert (message["priority"], message["tags"]) == ("P1", ["security"])


def _parts(mail: Message) -> dict[str, str]:
    """Content type -> content."""
    bodies = [it for it in mail.walk() if isinstance(it, EmailMessage) and not it.is_multipart()]
    return {it.get_content_type(): it.get_content().replace("\r\n", "\n").strip() for it in bodies}


def test_email_is_text_and_html(alertmanager: str, letters: Mailbox) -> None:
    """A mail in two forms: plain text as elsewhere, and HTML with the same facts, escaped, and four links."""
    _sent(alertmanager, "mail", severity="warning", priority="P3", team="ml")
    mail = letters.next(seconds=20)
    parts = _parts(mail)
    assert (mail["From"], mail["To"]) == ("alertmanager@example.org", "team@example.org")
    assert mail["Subject"] == f'P3: check "out: {ANNOTATIONS["summary"]}'
    assert letters.logins == [("sender", "pw")]
    assert parts["text/plain"] == _text("warning, P3, ml", "within 2 hours", "mail")
    assert parts["text/html"] == HTML


def test_an_alert_of_other_rules_is_shown_as_far_as_it_goes(alertmanager: str, letters: Mailbox) -> None:
    """Without priority, team, links and texts there are no empty lines for them, and nothing is made up."""
    since = {"startsAt": "2026-11-20T10:00:00Z"}
    post(alertmanager, {"labels": {"alertname": "Foreign", "severity": "page"}, **since})
    mail = letters.next(seconds=20)
    assert mail["Subject"] == "Alert: Foreign"
    assert _parts(mail)["text/plain"] == (
        "FIRING Foreign (page)\nForeign\nSince 2026-11-20 10:00 UTC\n"
        "Silence: http://alertmanager.example/#/silences/new?filter=%7Balertname%3D%22Foreign%22%7D\n\n"
        "Alertmanager: http://alertmanager.example"
    )
    assert ">Runbook<" not in _parts(mail)["text/html"]
