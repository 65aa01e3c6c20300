"""Reads the committed dashboards for the tests, and gives every question of every panel as plain PromQL."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.rules.promql import REPOSITORY

DASHBOARDS = sorted((REPOSITORY / "grafana" / "dashboards").glob("*.json"))


@dataclass(frozen=True)
class PanelQuery:
    """One question: where it stands, its PromQL without variables, and whether it is about the end only."""

    dashboard: str
    panel: str
    expr: str
    instant: bool


def panel_queries(
    series: str,
    query: str = ".+",
    service: str = ".*",
    job: str = ".+",
    instance: str = ".+",
    rate_interval: str = "2m",
) -> Iterator[PanelQuery]:
    """Every panel's PromQL with its variables replaced.

    `series` is what stands between the braces of a selector, such as `query="a", service="b"`; the other
    arguments are regular expressions of label values, and a PromQL duration.
    """
    values = {
        "${series:raw}": series,
        "$query": query,
        "$service": service,
        "$job": job,
        "$instance": instance,
        "$__rate_interval": rate_interval,
    }
    for path in DASHBOARDS:
        for panel in panels(load(path.stem)):
            for target in panel["targets"]:
                yield PanelQuery(
                    path.stem, panel["title"], _replaced(target["expr"], values), target["instant"]
                )


def load(name: str) -> dict[str, Any]:
    """One committed dashboard."""
    (path,) = [it for it in DASHBOARDS if it.stem == name]
    return dict(json.loads(path.read_text(encoding="utf-8")))


def panels(dashboard: dict[str, Any]) -> list[dict[str, Any]]:
    """Its panels without the rows."""
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def _replaced(expr: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        expr = expr.replace(name, value)
    return expr
