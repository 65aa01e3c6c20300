"""Reads the committed dashboards for the tests, and gives every question of each as plain PromQL."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from exporter.packs import library
from tests.rules.promql import REPOSITORY

DASHBOARDS = sorted((REPOSITORY / "grafana" / "dashboards").glob("*.json"))
BY_ALERTMANAGER = {
    "alertmanager_alerts",
    "alertmanager_notifications_failed_total",
    "alertmanager_notifications_total",
    "alertmanager_silences",
}
"""Names that Alertmanager provides, where it is scraped."""
RANGE = 3600

_LABEL_OF_A_PACK = re.compile(r'=~"\$\w+"')


@dataclass(frozen=True)
class PanelQuery:
    """One question: where it stands, its PromQL without variables, and whether it is about the end only."""

    dashboard: str
    panel: str
    expr: str
    instant: bool


@dataclass(frozen=True)
class Chosen:
    """What is chosen above the panels.

    `series` is what stands between the braces of a selector, such as `query="a", service="b"`; the others are
    regular expressions of label values, and a PromQL duration.
    """

    series: str
    query: str = ".+"
    service: str = ".*"
    job: str = ".+"
    instance: str = ".*"
    team: str = ".+"
    rate_interval: str = "2m"

    def put_into(self, expr: str) -> str:
        """`expr` without variables."""
        values = {
            "${series:raw}": self.series,
            "$query": self.query,
            "$service": self.service,
            "$job": self.job,
            "$instance": self.instance,
            "$team": self.team,
            "$__rate_interval": self.rate_interval,
            "$__range_s": str(RANGE),
            "$__range": f"{RANGE}s",
        }
        for name, value in values.items():
            expr = expr.replace(name, value)
        return _LABEL_OF_A_PACK.sub('=~".*"', expr)


def panel_queries(chosen: Chosen) -> Iterator[PanelQuery]:
    """Every panel's PromQL with its variables replaced."""
    for path in DASHBOARDS:
        for panel in panels(load(path.stem)):
            for target in panel["targets"]:
                expr = chosen.put_into(target["expr"])
                yield PanelQuery(path.stem, panel["title"], expr, target["instant"])


def annotation_queries(chosen: Chosen) -> Iterator[PanelQuery]:
    """The PromQL of every annotation with its variables replaced."""
    for path in DASHBOARDS:
        for it in load(path.stem)["annotations"]["list"]:
            if "expr" in it:
                yield PanelQuery(path.stem, it["name"], chosen.put_into(it["expr"]), False)


def load(name: str) -> dict[str, Any]:
    """One committed dashboard."""
    (path,) = [it for it in DASHBOARDS if it.stem == name]
    return dict(json.loads(path.read_text(encoding="utf-8")))


def panels(dashboard: dict[str, Any]) -> list[dict[str, Any]]:
    """Its panels without the rows."""
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def variables(dashboard: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Its variables by name."""
    return {it["name"]: it for it in dashboard["templating"]["list"]}


def of_pack(query: PanelQuery) -> bool:
    """Whether a question is one of a pack's dashboard."""
    return query.dashboard in library.names()
