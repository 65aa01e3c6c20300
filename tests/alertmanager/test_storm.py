"""The silence that the page of a storm offers, given to a running Alertmanager by its own amtool."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import httpx
import pytest
import yaml

from exporter.demo import servers
from tests.alertmanager.alerts import CONFIG, alert_of, post, shown
from tests.rules.promql import alerts

pytestmark = pytest.mark.servers

SENT = {
    "AnomalyService critical service=a": True,
    "DriftSevere warning service=a query=q": True,
    "AnomalyService critical service=b priority=P1": False,
    "AnomalyStorm critical": False,
    "InputSilent warning query=q": False,
}
"""Alert -> whether the offered silence is about it."""


def test_the_offered_silence_is_accepted_and_mutes_the_statistics_alone(tmp_path: Path) -> None:
    """The line of the description works as it stands, and says what inhibition says."""
    offered = re.search(r"amtool silence add .*$", alerts()["AnomalyStorm"]["annotations"]["description"])
    assert offered
    _, *words = shlex.split(offered[0])
    with servers.alertmanager(tmp_path, CONFIG) as server:
        post(server.url, *(alert_of(it, "storm") for it in SENT))
        command = [str(servers.find("amtool")), *words, "--author=test", f"--alertmanager.url={server.url}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        silences = httpx.get(f"{server.url}/api/v2/silences", trust_env=False).json()
        found = shown(server.url)
    assert [it["id"] for it in silences] == [done.stdout.strip()]
    muted = {frozenset(it["labels"].items()): bool(it["status"]["silencedBy"]) for it in found}
    assert [muted[frozenset(alert_of(it, "storm")["labels"].items())] for it in SENT] == [*SENT.values()]


def test_the_offered_silence_is_about_what_a_storm_inhibits() -> None:
    """The line of the description and the rule of Alertmanager name the same alerts."""
    (rule,) = [
        it
        for it in yaml.safe_load(CONFIG.read_text(encoding="utf-8"))["inhibit_rules"]
        if it["source_matchers"] == ['alertname = "AnomalyStorm"']
    ]
    said = alerts()["AnomalyStorm"]["annotations"]["description"]
    assert all(f"'{it.replace(' ', '')}'" in said for it in rule["target_matchers"])
