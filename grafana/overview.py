"""The overview: what is strange now, the picture of the strangest series, and how Tidemark itself is."""

from __future__ import annotations

from grafana import links, marks
from grafana.band import THRESHOLD, of_strangest
from grafana.charts import GREEN, RED, YELLOW, Column, colours, edge, graph, stat, table, timeline
from grafana.panels import Panel, Query, Row
from grafana.sheet import Sheet
from grafana.variables import CHOSEN, DETECTOR, detectors, queries, status

TOP = f"topk(20, max without () (anomaly_score{{{CHOSEN}}}))"
SHARE = 'service:anomaly_above:ratio{severity="critical", service=~"$service"}'


def sheet() -> Sheet:
    """The whole dashboard."""
    return Sheet(
        "overview",
        "Overview",
        "What is strange now, the band and value that explain it, and Tidemark's own health.",
        [*detectors(), *queries(), status()],
        [
            Row("Now", [*_numbers(), _services(), _scores(), _strangest()]),
            Row("The strangest series", [of_strangest("Value and band", CHOSEN, width=24, height=9)]),
            Row("Tidemark itself", _detector()),
        ],
        [
            marks.alerts('alertname=~"Anomaly(Service|Storm)|Pattern.+|Objective.+", service=~"$service|"'),
            marks.calendars(),
            marks.deployments(),
        ],
        [
            links.status("Status page"),
            links.page("The score in plain words", "score.md"),
            links.page("Alerts and thresholds", "alerting.md"),
        ],
    )


def _numbers() -> list[Panel]:
    above = f"anomaly_score{{{CHOSEN}}} > on (query, service) group_left () {THRESHOLD}"
    limit = "on (severity) group_left () anomaly:share_threshold:default"
    return [
        stat(
            "Strange services",
            "Services of which at least the critical share of signals is beyond its threshold now.",
            f"count({SHARE} >= {limit}) or vector(0)",
            alarm=1,
        ),
        stat(
            "Strange series",
            "Series whose score is above the threshold of severity info now.",
            f"count({above}) or vector(0)",
            alarm=1,
        ),
        stat(
            "Scored series",
            "Series that have a score. Learning and missing series have none.",
            f'sum(tidemark_query_series{{state="scored", query=~"$query", {DETECTOR}}})',
        ),
        stat(
            "Firing alerts",
            "Alerts of Tidemark's rules that fire now, without the dead-man's switch.",
            f'count(ALERTS{{{marks.OURS}, team=~".+", priority=~".+"}}) or vector(0)',
            alarm=1,
        ),
        stat(
            "Age of the oldest score",
            "Seconds since the query that lags most was scored. It is red from 15 minutes on.",
            f'max(time() - tidemark_last_score_timestamp_seconds{{query=~"$query", {DETECTOR}}})',
            unit="s",
            alarm=900,
        ),
        stat(
            "Queries in trouble",
            "Queries whose last read failed.",
            f'sum(1 - tidemark_query_success{{query=~"$query", {DETECTOR}}})',
            alarm=1,
        ),
    ]


def _services() -> Panel:
    return timeline(
        "Share of strange signals by service",
        "How much of each service is beyond the critical threshold: green none, yellow some, red a page.",
        "percentunit",
        Query(SHARE, "{{service}}"),
        {
            **colours(GREEN, (0.01, YELLOW), (0.5, RED)),
            "links": [links.service()],
        },
    )


def _scores() -> Panel:
    return graph(
        "Highest score by service and query",
        "0 is the expected value, 1 the edge of normal; above it the scale is logarithmic in rarity.",
        "none",
        Query(f"max by (service, query) (anomaly_score{{{CHOSEN}}})", "{{service}} {{query}}"),
        defaults={**edge(1), "links": [links.series()]},
    )


def _strangest() -> Panel:
    families = ("value", "expected", "lower", "upper")
    return table(
        "Strangest series",
        "The twenty highest scores now, with value and band. Query and service lead on.",
        Column("score", TOP, "none", ((1, RED),)),
        *(Column(it, f"anomaly_{it}{{{CHOSEN}}} and {TOP}") for it in families),
        links=links.cells("query", "service"),
    )


def _detector() -> list[Panel]:
    return [
        timeline(
            "Success of each query",
            "Green while the reads of the query succeed, red while they fail.",
            "none",
            Query(f'tidemark_query_success{{query=~"$query", {DETECTOR}}}', "{{query}}"),
            {**colours(RED, (1, GREEN)), "links": [links.point("How Tidemark is", "exporter", "query")]},
        ),
        graph(
            "Series by state",
            "Scored, learning (no score yet), missing (no point now), paused; and dropped by a limit.",
            "short",
            Query(f'sum by (state) (tidemark_query_series{{query=~"$query", {DETECTOR}}})', "{{state}}"),
            Query(
                f'sum by (reason) (tidemark_query_dropped_series{{query=~"$query", {DETECTOR}}})', "dropped"
            ),
        ),
    ]
