"""The drop-downs above the panels, which every dashboard calls alike, so that links carry them over."""

from __future__ import annotations

from grafana.panels import DATASOURCE, Json

CHOSEN = 'query=~"$query", service=~"$service"'
"""The matchers of what is chosen by query and service."""

DETECTOR = 'job=~"$job", instance=~"$instance"'
"""The matchers of what the detector says of itself."""

OWN = f'query=~"$query", {DETECTOR}'
"""The matchers of what the detector says of a query that is chosen."""

OF_TIDEMARK = f"and on (job, instance) tidemark_build_info{{{DETECTOR}}}"
"""Keeps the detectors among the processes of a job."""

SERIES = "{${series:raw}}"
"""The selector of the one series that is chosen."""

STATUS = "http://localhost:10063"
"""Where people reach the status page; `tidemark assets write --status-url` puts another address here."""


def detectors() -> list[Json]:
    """Data source, and which of the detectors: those of all jobs and instances at first."""
    return [
        datasource(),
        label("job", "job", "label_values(tidemark_build_info, job)", ".+"),
        label("instance", "instance", 'label_values(tidemark_build_info{job=~"$job"}, instance)', ".+"),
    ]


def queries(family: str = "anomaly_score") -> list[Json]:
    """Which queries and services, of those that the series of `family` have."""
    return [
        label("query", "query", f"label_values({family}, query)", ".+"),
        label("service", "service", f'label_values({family}{{query=~"$query"}}, service)', ".*"),
    ]


def datasource() -> Json:
    """Which Prometheus or VictoriaMetrics to ask."""
    return {
        "current": {},
        "hide": 0,
        "label": "Data source",
        "name": "datasource",
        "query": "prometheus",
        "refresh": 1,
        "type": "datasource",
    }


def label(name: str, title: str, query: str, all_value: str) -> Json:
    """Label values, several at once, all of them at first."""
    return {
        "allValue": all_value,
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
        "includeAll": True,
        "label": title,
        "multi": True,
        **_asked(name, query),
    }


def series(expr: str) -> Json:
    """The series of `expr`, the highest first; the value is the text between the braces."""
    return {
        "label": "series",
        **_asked("series", f"query_result({expr})"),
        "regex": "/\\{(.*)\\}/",
        "sort": 0,
    }


def status() -> Json:
    """The address of the status page, for links."""
    return {
        "current": {"selected": True, "text": STATUS, "value": STATUS},
        "hide": 2,
        "label": "Status page",
        "name": "status",
        "query": STATUS,
        "type": "constant",
    }


def _asked(name: str, query: str) -> Json:
    return {
        "datasource": DATASOURCE,
        "hide": 0,
        "name": name,
        "query": {"query": query, "refId": f"{name}-variable"},
        "refresh": 2,
        "sort": 1,
        "type": "query",
    }
