"""Addresses that the pages link to: own ones are relative, so that they work behind any prefix."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from exporter.promql import matchers
from exporter.shown.status import Links

DASHBOARD = "tidemark-series"
"""The dashboard that shows the series of a query; its variables are `query`, `service` and `series`."""


def series_page(query: str, labels: Mapping[str, str], root: str = "") -> str:
    """The page of one series; `root` leads from the page that links to the landing page."""
    return f"{root}series?{series_parameters(query, labels)}"


def series_parameters(query: str, labels: Mapping[str, str]) -> str:
    """What names a series: its query, if it is given, and each label as name=value."""
    named = [("query", query)] if query else []
    pairs = [*named, *(("label", f"{name}={value}") for name, value in labels.items())]
    return urlencode(pairs, errors="replace")


def graph(links: Links, expr: str, reach: str = "6h") -> str:
    """Where the TSDB draws an expression; Prometheus and VictoriaMetrics read the same parameters."""
    parameters = {"g0.expr": expr, "g0.tab": "0", "g0.range_input": reach}
    return f"{links.graph}?{urlencode(parameters, errors='replace')}" if links.graph else ""


def dashboard(links: Links, query: str, labels: Mapping[str, str]) -> str:
    """The dashboard of a series, which is the one with these labels."""
    if not links.grafana:
        return ""
    variables = {"var-query": query} | ({"var-service": labels["service"]} if "service" in labels else {})
    variables["var-series"] = matchers({"query": query, **labels})
    return f"{links.grafana}/d/{DASHBOARD}/?{urlencode(variables, errors='replace')}"


def runbook(links: Links, alert: str) -> str:
    """The page about an alert."""
    return f"{links.runbooks}/{quote(alert)}.md" if links.runbooks else ""
