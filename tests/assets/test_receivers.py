"""Channels for receivers: what may be chosen, what is refused, and the file that comes of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from exporter.assets.receivers import (
    Channel,
    Desk,
    Mail,
    Unfit,
    channel_of,
    composed,
    kinds,
    names,
    secrets,
)
from tests.alertmanager.alerts import CONFIG, TEMPLATES
from tests.test_alertmanager import amtool

SHIPPED = CONFIG.read_text(encoding="utf-8")
MAIL = Mail("mail.example.org:587", "alertmanager@example.org", "alertmanager")
ADDRESSES = {"slack": "#alerts", "email": "team@example.org", "webhook": "https://hooks.example/tidemark"}


def test_the_shipped_file_is_what_nobody_chose_anything_for() -> None:
    """Composing without a choice gives the shipped file, byte for byte."""
    assert composed(SHIPPED, Desk()) == SHIPPED


@pytest.mark.parametrize("kind", kinds())
def test_every_channel_loads_for_every_receiver(tmp_path: Path, kind: str) -> None:
    """Alertmanager accepts a file that uses one kind throughout, and only the receivers differ."""
    heard = [it for it in names(SHIPPED) if it not in ("nobody", "deadman")]
    text = composed(SHIPPED, Desk(dict.fromkeys(heard, Channel(kind, ADDRESSES.get(kind, ""))), MAIL))
    path = tmp_path / "alertmanager.yml"
    path.write_text(text.replace("templates/*.tmpl", str(TEMPLATES / "*.tmpl")), encoding="utf-8")
    done = amtool("check-config", str(path))
    assert done.returncode == 0, done.stderr
    content, before = yaml.safe_load(text), yaml.safe_load(SHIPPED)
    assert [it["name"] for it in content.pop("receivers")] == [it["name"] for it in before.pop("receivers")]
    assert content.pop("global", None) == (None if kind != "email" else _global())
    assert content == before


def _global() -> dict[str, str]:
    return {
        "smtp_smarthost": MAIL.smarthost,
        "smtp_from": MAIL.sender,
        "smtp_auth_username": MAIL.user,
        "smtp_auth_password_file": "/etc/alertmanager/secrets/mail",
    }


def test_a_team_uses_the_channel_of_all_unless_it_has_its_own() -> None:
    """The secret file has the name under which the channel was chosen."""
    chosen = dict(map(channel_of, ("page=pagerduty", "page-security=opsgenie", "ticket=slack:#t")))
    text = composed(SHIPPED, Desk(chosen, secrets="/s"))
    receivers = {it["name"]: it for it in yaml.safe_load(text)["receivers"]}
    files = {
        name: re.findall(r"/s/([\w-]+)", str(it)) for name, it in receivers.items() if "_file" in str(it)
    }
    assert files == {
        "page": ["page"],
        "page-platform": ["page"],
        "page-security": ["page-security"],
        **{it: ["ticket"] for it in receivers if it.startswith("ticket")},
    }
    assert secrets(text) == ["/s/page", "/s/page-security", "/s/ticket"]


def test_no_channel_holds_a_secret() -> None:
    """Keys and passwords are named by file, never written."""
    for kind in set(kinds()) - {"webhook", "email"}:
        text = composed(SHIPPED, Desk({"page": Channel(kind, "#a")}))
        assert re.search(r'_file: "/etc/alertmanager/secrets/page"', text)
        assert not re.search(r"(_key|api_url|password):", text)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("page", "expected NAME=KIND or NAME=KIND:ADDRESS, found 'page'"),
        ("page=sms", "no channel has the name 'sms'; there are: email, opsgenie, pagerduty, slack, webhook"),
        ("ticket=slack", "slack needs the channel, as in slack:#alerts"),
        ("page=pagerduty:key", "pagerduty takes no address: its key stands in a file"),
        ("deadman=email:a@b", "deadman is a heartbeat: it takes a webhook, as in deadman=webhook:https://…"),
    ],
)
def test_what_cannot_be_is_refused(words: str, message: str) -> None:
    """The message says what to write instead."""
    with pytest.raises(Unfit, match=re.escape(message)):
        channel_of(words)


def test_a_receiver_that_there_is_not_is_refused() -> None:
    """A misspelt receiver would otherwise keep its local webhook without a word."""
    with pytest.raises(Unfit, match="no receiver has the name 'pages'; there are: page, page-platform"):
        composed(SHIPPED, Desk({"pages": Channel()}))


def test_email_needs_a_server() -> None:
    """Without one, Alertmanager would refuse the file."""
    with pytest.raises(Unfit, match="--mail-smarthost"):
        composed(SHIPPED, Desk({"inform": Channel("email", "a@b")}))


def test_the_heartbeat_is_never_resolved() -> None:
    """The other end waits for posts; one that says "resolved" would count as one."""
    text = composed(SHIPPED, Desk({"deadman": Channel("webhook", "https://beat.example/1")}))
    (found,) = [it for it in yaml.safe_load(text)["receivers"] if it["name"] == "deadman"]
    assert found["webhook_configs"] == [{"url": "https://beat.example/1", "send_resolved": False}]
