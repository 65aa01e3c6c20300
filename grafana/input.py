"""Data quality: what the scores rest on, what is missing, late, stuck or impossible."""

from __future__ import annotations

from grafana import links, marks
from grafana.charts import RATIO, RED, STACKED, ZERO, Column, dashed, edge, graph, stat, table
from grafana.panels import Panel, Query, Row
from grafana.sheet import Sheet
from grafana.variables import CHOSEN, OWN, detectors, queries, status


def sheet() -> Sheet:
    """The whole dashboard."""
    return Sheet(
        "input",
        "Data quality",
        "What the scores rest on: whether the input is there, in time, possible and moving.",
        [*detectors(), *queries("anomaly_input_quality_ratio"), status()],
        [
            Row("Now", [*_numbers(), _worst()]),
            Row("Is it there, and in time?", _there()),
            Row("Is it possible?", _possible()),
        ],
        [
            marks.alerts('alertname=~"Input.+", query=~"$query|"'),
            marks.paused(CHOSEN),
            marks.calendars(),
            marks.deployments(),
        ],
        [links.status("Status page"), links.page("Data quality in plain words", "data-quality.md")],
        since="now-24h",
    )


def _numbers() -> list[Panel]:
    return [
        stat(
            "Quality",
            "Mean share of good points of about the last day; from 98 % on good, below 90 % poor.",
            f"avg(anomaly_input_quality_ratio{{{CHOSEN}}})",
            "percentunit",
            0.9,
            below=True,
        ),
        stat(
            "Poor series",
            "Series of which less than nine in ten points were good.",
            f"count(anomaly_input_quality_ratio{{{CHOSEN}}} < 0.9) or vector(0)",
            alarm=1,
        ),
        stat(
            "Series that are there",
            "The worst query: share of its series seen within a day that have a point now.",
            f"min(anomaly_input_available_ratio{{{OWN}}})",
            "percentunit",
            0.9,
            below=True,
        ),
        stat("Lag", "The latest series of all.", f"max(anomaly_input_lag_seconds{{{CHOSEN}}})", "s", 600),
        stat(
            "Stuck series",
            "Series that have not moved for far longer than ever before.",
            f"sum(anomaly_input_stuck_series{{{OWN}}})",
            alarm=1,
        ),
        stat(
            "Impossible samples",
            "Samples that were taken for absent in a minute, ratios without requests (nan) aside.",
            "60 * sum(rate(tidemark_input_invalid_samples_total"
            f'{{reason!="nan", {OWN}}}[$__rate_interval])) or vector(0)',
            alarm=0.001,
        ),
    ]


def _worst() -> Panel:
    worst = f"bottomk(30, max without () (anomaly_input_quality_ratio{{{CHOSEN}}}))"
    return table(
        "Worst series",
        "The thirty series with the lowest quality, and how old their newest points are.",
        Column("quality", worst, "percentunit"),
        Column("lag", f"anomaly_input_lag_seconds{{{CHOSEN}}} and {worst}", "s", ((600, RED),)),
        ascending=True,
        links=links.cells("query", "service"),
    )


def available() -> Panel:
    """How many of the series that are expected are there, by query."""
    return graph(
        "Series that are there",
        "Share of the query's series seen within a day that have a point now.",
        "percentunit",
        Query(f"anomaly_input_available_ratio{{{OWN}}}", "{{query}}"),
        defaults=RATIO,
    )


def _there() -> list[Panel]:
    return [
        graph(
            "Quality by query",
            "Mean share of good points of about the last day, and what InputQualityLow asks for.",
            "percentunit",
            Query(f"avg by (query) (anomaly_input_quality_ratio{{{CHOSEN}}})", "{{query}}"),
            Query('data:quality_threshold:default{severity="warning"}', "threshold"),
            defaults={"max": 1},
            overrides=[dashed("threshold", RED)],
        ),
        available(),
        graph(
            "Lag by query",
            "Age of the newest point of each query; the offset of the query while all is well.",
            "s",
            Query(f"min by (query) (anomaly_input_lag_seconds{{{CHOSEN}}})", "{{query}}"),
            defaults=edge(600),
        ),
        graph(
            "Lag by service",
            "Age of the oldest newest point: a service that fell silent climbs.",
            "s",
            Query(
                f"max by (query, service) (anomaly_input_lag_seconds{{{CHOSEN}}})", "{{service}} {{query}}"
            ),
            defaults={**edge(600), "links": [links.series()]},
        ),
        graph(
            "Missing and paused series",
            "Series without a point now, and those that a calendar pauses.",
            "short",
            Query(
                f'sum by (query, state) (tidemark_query_series{{state=~"missing|paused", {OWN}}})',
                "{{query}} {{state}}",
            ),
            defaults=STACKED,
        ),
        graph(
            "Dropped series",
            "Series that are not scored because a limit was reached.",
            "short",
            Query(f"sum by (query, reason) (tidemark_query_dropped_series{{{OWN}}})", "{{query}} {{reason}}"),
            defaults=STACKED,
        ),
    ]


def _possible() -> list[Panel]:
    return [
        graph(
            "Samples taken for absent",
            "Samples per second that were no number to score, by reason.",
            "cps",
            Query(
                "sum by (query, reason) "
                f"(rate(tidemark_input_invalid_samples_total{{{OWN}}}[$__rate_interval]))",
                "{{query}} {{reason}}",
            ),
            defaults=ZERO,
        ),
        graph(
            "Stuck series",
            "Series that have not moved for far longer than ever before.",
            "short",
            Query(f"anomaly_input_stuck_series{{{OWN}}}", "{{query}}"),
            defaults=ZERO,
        ),
        graph(
            "Series by kind",
            "Constant and mostly zero series say little.",
            "short",
            Query(f"sum by (query, kind) (anomaly_input_kind_series{{{OWN}}})", "{{query}} {{kind}}"),
            defaults=STACKED,
        ),
        graph(
            "Series in all",
            "How many series each query has: a jump is a new label, or a lost one.",
            "short",
            Query(f"count by (query) (anomaly_input_quality_ratio{{{CHOSEN}}})", "{{query}}"),
            defaults=ZERO,
        ),
    ]
