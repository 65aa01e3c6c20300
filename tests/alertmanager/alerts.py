"""Alerts with the labels that the rules set, as the tests send them to a real Alertmanager."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tests.rules.promql import REPOSITORY, alerts

CONFIG = REPOSITORY / "alertmanager" / "alertmanager.yml"
TEMPLATES = CONFIG.parent / "templates"
WEBHOOK = "http://127.0.0.1:10064"
BY_SEVERITY = {name for name, rule in alerts().items() if "$labels" in rule["labels"]["severity"]}
"""Alerts whose severity, and with it their priority, is that of the threshold."""
SERVICE_PRIORITY = {"critical": "P2", "warning": "P3"}

Labels = dict[str, str]


def labels_of(alert: str, severity: str) -> Labels:
    """The labels that the rule of `alert` sets, at this severity."""
    labels: Labels = alerts()[alert]["labels"]
    priority = SERVICE_PRIORITY[severity] if alert in BY_SEVERITY else labels["priority"]
    return {"alertname": alert, "severity": severity, "priority": priority, "team": labels["team"]}


def alert_of(words: str, cluster: str) -> dict[str, Any]:
    """An alert from "Name severity label=value ..."."""
    name, severity, *pairs = words.split()
    labels = labels_of(name, severity) | {"cluster": cluster} | dict(pair.split("=") for pair in pairs)
    return {"labels": labels, "endsAt": (datetime.now(UTC) + timedelta(minutes=5)).isoformat()}


def post(alertmanager: str, *sent: dict[str, Any]) -> None:
    """Send alerts as Prometheus would."""
    httpx.post(f"{alertmanager}/api/v2/alerts", json=list(sent), trust_env=False).raise_for_status()


def shown(alertmanager: str) -> list[dict[str, Any]]:
    """All alerts that Alertmanager knows, with their status."""
    answer = httpx.get(f"{alertmanager}/api/v2/alerts", trust_env=False)
    return list(answer.raise_for_status().json())
