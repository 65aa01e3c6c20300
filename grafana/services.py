"""Services: how much of each is strange, which signals, together with what, and what it may become."""

from __future__ import annotations

from grafana import links, marks
from grafana.band import of_strangest
from grafana.charts import (
    GREEN,
    GREY,
    RED,
    STACKED,
    YELLOW,
    ZERO,
    Column,
    colours,
    edge,
    graph,
    stat,
    table,
    timeline,
)
from grafana.panels import Panel, Query, Row
from grafana.sheet import Sheet
from grafana.variables import CHOSEN, datasource, queries, status

OF = 'service=~"$service"'
ALERT = f'ALERTS{{{marks.OURS}, {OF}, service!=""}}'


def sheet() -> Sheet:
    """The whole dashboard."""
    return Sheet(
        "services",
        "Services",
        "Which signals of a service are strange, and what else is with it: alerts, groups, drift, limits.",
        [datasource(), *queries(), status()],
        [
            Row("Now", [*_numbers(), _alerts(), _patterns(), _share()]),
            Row(
                "Signals",
                [_scores(), _ratios(), _signals(), of_strangest("Strangest series", CHOSEN, width=24)],
            ),
            Row("Together", _together()),
            Row("Drift and limits", _later()),
        ],
        [
            marks.alerts(f'{OF}, service!=""'),
            marks.calendars(),
            marks.paused(CHOSEN),
            marks.deployments(),
        ],
        [links.status("Status page"), links.page("Alerts and thresholds", "alerting.md")],
    )


def _numbers() -> list[Panel]:
    return [
        stat(
            "Strange signals",
            "Largest share of a service's signals that is beyond its critical threshold now.",
            f'max(service:anomaly_above:ratio{{severity="critical", {OF}}})',
            "percentunit",
            0.5,
        ),
        stat("Highest score", "1 is the edge of normal.", f"max(anomaly_score{{{CHOSEN}}})", "none", 1),
        stat(
            "Highest deviation",
            "The highest sustained distance from normal; it stays up while an incident lasts.",
            f"max(anomaly_deviation{{{CHOSEN}}})",
            "none",
            1,
        ),
        stat("Firing alerts", "Alerts about the chosen services.", f"count({ALERT}) or vector(0)", alarm=1),
        stat(
            "Drifting",
            "Largest share of a service's series that drift; known from three series on.",
            f"max(service:drift_above:ratio{{{OF}}}) or vector(0)",
            "percentunit",
            0.3,
        ),
        stat(
            "Nearest limit",
            "Shortest time until a forecast reaches a configured limit.",
            f"min(forecast_seconds_to_limit{{{CHOSEN}}})",
            "s",
            14400,
            below=True,
        ),
    ]


def _alerts() -> Panel:
    return timeline(
        "Alerts",
        "Alerts of the chosen services while they fire.",
        "none",
        Query(f"max by (alertname, severity, service) ({ALERT})", "{{service}} {{alertname}} {{severity}}"),
        colours(GREY, (1, RED)),
    )


def _patterns() -> Panel:
    return timeline(
        "Patterns",
        "What the strange signals of a service make together, such as a cliff of traffic or a slow database.",
        "none",
        Query(f"service:anomaly_pattern:active{{{OF}}}", "{{service}} {{pattern}}"),
        colours(GREY, (1, YELLOW)),
    )


def _share() -> Panel:
    return timeline(
        "Share of strange signals",
        "Beyond the thresholds of warning and of critical: green none, yellow some, red a page.",
        "percentunit",
        Query(f"service:anomaly_above:ratio{{{OF}}}", "{{service}} {{severity}}"),
        colours(GREEN, (0.01, YELLOW), (0.5, RED)),
        width=24,
    )


def _scores() -> Panel:
    return graph(
        "Score by signal",
        "The highest score of each query of the service; 1 is the edge of normal.",
        "none",
        Query(f"max by (query, service) (anomaly_score{{{CHOSEN}}})", "{{service}} {{query}}"),
        defaults={**edge(1), "links": [links.series()]},
    )


def _ratios() -> Panel:
    return graph(
        "Value over expected",
        "The sum of the observed values over that of the expected ones, by query: 100 % is as always.",
        "percentunit",
        Query(
            f"sum by (query, service) (anomaly_value{{{CHOSEN}}}) "
            f"/ (sum by (query, service) (anomaly_expected{{{CHOSEN}}}) != 0)",
            "{{service}} {{query}}",
        ),
        defaults={**ZERO, "links": [links.series()]},
    )


def _signals() -> Panel:
    top = f"topk(50, max without () (anomaly_score{{{CHOSEN}}}))"
    return table(
        "Signals",
        "The fifty strangest series of the service with value, expectation and drift.",
        Column("score", top, "none", ((1, RED),)),
        *(Column(it, f"anomaly_{it}{{{CHOSEN}}} and {top}") for it in ("deviation", "value", "expected")),
        Column(
            "drift",
            f'max without (test) (drift_score{{test="combined", {CHOSEN}}}) and {top}',
            "none",
            ((3, YELLOW), (5, RED)),
        ),
        links=links.cells("query"),
    )


def _together() -> list[Panel]:
    others = f"max by (depends_on) (anomaly_dependency_info{{{OF}}})"
    share = 'max by (service) (service:anomaly_above:ratio{severity="critical"})'
    return [
        graph(
            "Group score",
            "How strange the service is over all queries of a group at once, on the scale of the score.",
            "none",
            Query(f"anomaly_group_score{{{OF}}}", "{{service}} {{group}}"),
            defaults=edge(1),
        ),
        graph(
            "What the group score is made of",
            "Share of each query in it; the shares of a group sum to 1.",
            "percentunit",
            Query(f"anomaly_group_contribution{{{OF}}}", "{{service}} {{group}} {{query}}"),
            defaults={**STACKED, "links": [links.series()]},
        ),
        timeline(
            "Services it depends on",
            "Share of strange signals of the services that the chosen ones call, as the configuration says.",
            "percentunit",
            Query(
                f'label_replace({share}, "depends_on", "$1", "service", "(.+)") and on (depends_on) {others}',
                "{{service}}",
            ),
            colours(GREEN, (0.01, YELLOW), (0.5, RED)),
            width=24,
        ),
    ]


def _later() -> list[Panel]:
    return [
        graph(
            "Highest drift by signal",
            "How far the last day is from like days before: from 3 on moderate, from 5 on severe.",
            "none",
            Query(f"query_service:drift_score:max{{{CHOSEN}}}", "{{service}} {{query}}"),
            defaults={**edge(3), "links": [links.point("Its drift", "drift", "query", "service")]},
        ),
        graph(
            "Time until a limit",
            "When forecasts reach configured limits; nothing where they do not.",
            "s",
            Query(
                f"min by (query, service, limit) (forecast_seconds_to_limit{{{CHOSEN}}})",
                "{{service}} {{query}} {{limit}}",
            ),
            defaults={**ZERO, "links": [links.series()]},
        ),
    ]
