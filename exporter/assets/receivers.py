"""Who hears an alert: the receivers of alertmanager.yml, each through the channel that the user chose."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from string import Template
from textwrap import indent

import yaml

from exporter.assets.shipped import shipped

LOCAL = "http://127.0.0.1:10064"
"""Where webhooks go until a channel is chosen: the file loads anywhere, and a test can listen."""

SILENT, HEARTBEAT = "nobody", "deadman"
ADDRESSED = {
    "slack": "the channel, as in slack:#alerts",
    "email": "the recipient, as in email:team@example.org",
}
PRIVATE = ("opsgenie", "pagerduty")

_SECTION = re.compile(r"^receivers:\n.*?(?=^\S)", re.MULTILINE | re.DOTALL)


class Unfit(ValueError):
    """A channel that cannot be; the message says what to write instead."""


@dataclass(frozen=True, slots=True)
class Channel:
    """How a receiver is reached: one of `kinds()`, and its address where it has one."""

    kind: str = "webhook"
    address: str = ""


@dataclass(frozen=True, slots=True)
class Mail:
    """The server that takes e-mail (HOST:PORT), the sender, and the user who logs in to it, if any does."""

    smarthost: str = ""
    sender: str = ""
    user: str = ""


@dataclass(frozen=True, slots=True)
class Desk:
    """Channels by receiver, the mail server, and the directory of the secrets, each named as its channel."""

    channels: Mapping[str, Channel] = field(default_factory=dict)
    mail: Mail = Mail()
    secrets: str = "/etc/alertmanager/secrets"

    def choice(self, receiver: str) -> str:
        """Under which name its channel was chosen: its own, or that of its part before the hyphen."""
        return receiver if receiver in self.channels else receiver.partition("-")[0]

    def channel(self, receiver: str) -> Channel:
        """The channel that was chosen for the receiver; else the local webhook."""
        return self.channels.get(self.choice(receiver)) or Channel()


def kinds() -> list[str]:
    """The channels that there are."""
    return sorted(path.stem for path in (shipped("alertmanager") / "receivers").glob("*.yml"))


def names(text: str) -> list[str]:
    """The receivers of an alertmanager.yml, in its order."""
    return [it["name"] for it in yaml.safe_load(text)["receivers"]]


def channel_of(words: str) -> tuple[str, Channel]:
    """Receiver and channel from NAME=KIND[:ADDRESS]; Unfit says what is wrong."""
    name, equals, rest = words.partition("=")
    kind, _, address = rest.partition(":")
    if not (name and equals):
        raise Unfit(f"expected NAME=KIND or NAME=KIND:ADDRESS, found {words!r}")
    if kind not in kinds():
        raise Unfit(f"no channel has the name {kind!r}; there are: {', '.join(kinds())}")
    if kind in ADDRESSED and not address:
        raise Unfit(f"{kind} needs {ADDRESSED[kind]}")
    if kind in PRIVATE and address:
        raise Unfit(f"{kind} takes no address: its key stands in a file")
    if name == HEARTBEAT and kind != "webhook":
        raise Unfit(f"{HEARTBEAT} is a heartbeat: it takes a webhook, as in {HEARTBEAT}=webhook:https://…")
    return name, Channel(kind, address)


def composed(text: str, desk: Desk) -> str:
    """An alertmanager.yml with the channels of `desk`; Unfit when one has no receiver or no mail server."""
    known = names(text)
    for it in desk.channels:
        if it not in known or it == SILENT:
            raise Unfit(f"no receiver has the name {it!r}; there are: {', '.join(_hearing(known))}")
    blocks = "".join(_block(it, desk) for it in known)
    return _global(desk, known) + _SECTION.sub(lambda _: f"receivers:\n{blocks}\n", text, count=1)


def secrets(text: str) -> list[str]:
    """The secret files that a composed file reads, which the user provides."""
    return list(dict.fromkeys(re.findall(r'_file: "([^"]+)"', text)))


def _hearing(known: Sequence[str]) -> Iterator[str]:
    return (it for it in known if it != SILENT)


def _block(receiver: str, desk: Desk) -> str:
    if receiver == SILENT:
        return f"  - name: {receiver}\n"
    channel = desk.channel(receiver)
    written = (shipped("alertmanager") / "receivers" / f"{channel.kind}.yml").read_text(encoding="utf-8")
    address = channel.address or f"{LOCAL}/{receiver}"
    secret = f"{desk.secrets}/{desk.choice(receiver)}"
    body = Template(written).substitute(address=json.dumps(address), secret=json.dumps(secret))
    if receiver == HEARTBEAT:
        body = body.replace("send_resolved: true", "send_resolved: false")
    return f"  - name: {receiver}\n{indent(body, '    ')}"


def _global(desk: Desk, known: Sequence[str]) -> str:
    """The section with the mail server, where somebody gets e-mail."""
    if not any(desk.channel(it).kind == "email" for it in _hearing(known)):
        return ""
    if not (desk.mail.smarthost and desk.mail.sender):
        raise Unfit("email needs --mail-smarthost HOST:PORT and --mail-from ADDRESS")
    lines = {"smtp_smarthost": desk.mail.smarthost, "smtp_from": desk.mail.sender}
    if desk.mail.user:
        lines |= {"smtp_auth_username": desk.mail.user, "smtp_auth_password_file": f"{desk.secrets}/mail"}
    return "global:\n" + "".join(f"  {key}: {json.dumps(it)}\n" for key, it in lines.items()) + "\n"
