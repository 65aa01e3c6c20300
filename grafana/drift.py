"""Drift: how much has moved away from its past, which series, by which tests, and whether it is the data."""

from __future__ import annotations

from grafana import links, marks
from grafana.charts import (
    GREEN,
    RATIO,
    RED,
    YELLOW,
    ZERO,
    Column,
    bars,
    colours,
    edge,
    graph,
    stat,
    table,
    timeline,
)
from grafana.input import available
from grafana.panels import Panel, Query, Row
from grafana.sheet import Sheet
from grafana.variables import CHOSEN, OWN, detectors, queries, status

COMBINED = f'drift_score{{test="combined", {CHOSEN}}}'
POOR = 'on () group_left () data:quality_threshold:default{severity="warning"}'


def sheet() -> Sheet:
    """The whole dashboard."""
    return Sheet(
        "drift",
        "Drift",
        "What has moved away from its past, by how much, in which respect, and whether the data is to blame.",
        [*detectors(), *queries("drift_score"), status()],
        [
            Row("Now", [*_numbers(), _farthest(), _by_service(), _by_query()]),
            Row("In which respect", _tests()),
            Row("Is it the data?", _triage()),
            Row("The reference", _reference()),
        ],
        [
            marks.alerts('alertname=~"Drift.+|Input.+", service=~"$service|", query=~"$query|"'),
            marks.not_learnt(),
            marks.calendars(),
            marks.deployments(),
        ],
        [links.status("Status page"), links.page("Drift in plain words", "drift.md")],
        since="now-7d",
        refresh="5m",
    )


def _numbers() -> list[Panel]:
    limit = "on (query, service) group_left () query_service:drift_score_threshold:effective"
    quality = f"avg by (query, service) (anomaly_input_quality_ratio{{{CHOSEN}}})"
    drifting = f'query_service:drift_score:max{{{CHOSEN}}} >= {limit}{{severity="warning"}}'
    return [
        stat(
            "Drifting series",
            "Series whose combined drift score has reached the warning threshold.",
            f'count({COMBINED} >= {limit}{{severity="warning"}}) or vector(0)',
            alarm=1,
        ),
        stat(
            "Severely drifting series",
            "Series whose combined drift score has reached the critical threshold.",
            f'count({COMBINED} >= {limit}{{severity="critical"}}) or vector(0)',
            alarm=1,
        ),
        stat("Highest score", "Below 3 is normal, above 5 severe.", f"max({COMBINED})", "none", 3),
        stat(
            "Drifting on poor input",
            "Pairs of query and service that drift while their input is poor: look at the data first.",
            f"count({drifting} and on (query, service) {quality} < {POOR}) or vector(0)",
            alarm=1,
        ),
        stat(
            "Oldest comparison",
            "Time since the windows of the query that lags most were compared; it is due once an hour.",
            f"max(time() - (drift_last_success_timestamp_seconds{{{OWN}}} > 0))",
            "s",
            14400,
        ),
        stat(
            "Invalid references",
            "References that are not what was learnt, and so are not used.",
            f"count(drift_reference_valid{{{OWN}}} == 0) or vector(0)",
            alarm=1,
        ),
    ]


def _farthest() -> Panel:
    top = f"topk(30, max without (test) ({COMBINED}))"
    return table(
        "Farthest series",
        "The thirty highest combined scores, since when, how level and movement changed, and the input.",
        Column("score", top, "none", ((3, YELLOW), (5, RED))),
        Column("since", f"1000 * (drift_changed_timestamp_seconds{{{CHOSEN}}} and {top})", "dateTimeAsIso"),
        Column("shift", f"drift_shift{{{CHOSEN}}} and {top}"),
        Column("movement", f"drift_movement_ratio{{{CHOSEN}}} and {top}", "percentunit"),
        Column("input quality", f"anomaly_input_quality_ratio{{{CHOSEN}}} and {top}", "percentunit"),
        links=links.cells("query", "service"),
    )


def _by_service() -> Panel:
    return timeline(
        "Share of drifting series by service",
        "Of services with three series or more: green none, yellow from 1 %, red from 30 %.",
        "percentunit",
        Query('service:drift_above:ratio{service=~"$service"}', "{{service}}"),
        {
            **colours(GREEN, (0.01, YELLOW), (0.3, RED)),
            "links": [links.service()],
        },
    )


def _by_query() -> Panel:
    return graph(
        "Share of drifting series by query",
        "One query drifting everywhere speaks for the data; one service in all queries for the service.",
        "percentunit",
        Query('query:drift_above:ratio{query=~"$query"}', "{{query}}"),
        defaults=RATIO,
    )


def _tests() -> list[Panel]:
    return [
        graph(
            "Highest score by test",
            "Some tests see the level, others the spread or the shape; combined is the one that alerts read.",
            "none",
            Query(f"max by (test) (drift_score{{{CHOSEN}}})", "{{test}}"),
            defaults=edge(3),
        ),
        bars(
            "Series beyond 3 by test",
            "How many series each test finds drifting at the end of the time range.",
            "short",
            Query(f"sum by (test) (drift_score{{{CHOSEN}}} >= bool 3)", "{{test}}", instant=True),
        ),
        graph(
            "Consensus of the tests",
            "Share of the tests that find the farthest series of a query and service drifting.",
            "percentunit",
            Query(f"query_service:drift_consensus:ratio{{{CHOSEN}}}", "{{service}} {{query}}"),
            defaults={**RATIO, "links": [links.series()]},
        ),
        graph(
            "Joint drift of services",
            "Drift of a service over the queries of a group together, by test.",
            "none",
            Query('drift_group_score{service=~"$service"}', "{{service}} {{group}} {{test}}"),
            defaults=edge(3),
        ),
    ]


def _triage() -> list[Panel]:
    return [
        graph(
            "Drift",
            "The highest combined score by query and service. Compare with the panels beside and below.",
            "none",
            Query(f"query_service:drift_score:max{{{CHOSEN}}}", "{{service}} {{query}}"),
            defaults={**edge(3), "links": [links.series()]},
        ),
        graph(
            "Input quality",
            "Share of good points of the last day. Drift that comes with its fall is a fault of the data.",
            "percentunit",
            Query(
                f"avg by (query, service) (anomaly_input_quality_ratio{{{CHOSEN}}})", "{{service}} {{query}}"
            ),
            defaults={"max": 1, "links": [links.point("Its data", "input", "query", "service")]},
        ),
        available(),
        graph(
            "New levels within a day",
            "Series that took a new level for normal in the day before: a release, or another metric.",
            "short",
            Query(
                "count by (query, service) "
                f"(time() - anomaly_level_shift_timestamp_seconds{{{CHOSEN}}} < 86400)",
                "{{service}} {{query}}",
            ),
            defaults=ZERO,
        ),
    ]


def _reference() -> list[Panel]:
    return [
        graph(
            "Age of the reference",
            "Time since the end of the period that each query is compared with.",
            "s",
            Query(f"time() - drift_reference_timestamp_seconds{{{OWN}}}", "{{query}}"),
            defaults=ZERO,
        ),
        timeline(
            "Validity of the reference",
            "Green while the reference has the hash it was learnt with.",
            "none",
            Query(f"drift_reference_valid{{{OWN}}}", "{{query}}"),
            colours(RED, (1, GREEN)),
        ),
        graph(
            "Failed comparisons",
            "Comparisons of windows that ended in an error.",
            "short",
            Query(f"sum by (query) (increase(drift_failures_total{{{OWN}}}[$__rate_interval]))", "{{query}}"),
            defaults=ZERO,
        ),
        table(
            "References in use",
            "The hash of each query's reference, and until when it was learnt.",
            Column(
                "learnt until",
                f"1000 * drift_reference_timestamp_seconds{{{OWN}}} "
                f"* on (query, job, instance) group_right () drift_reference_info{{{OWN}}}",
                "dateTimeAsIso",
            ),
            width=12,
            height=8,
        ),
    ]
