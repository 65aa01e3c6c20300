"""Alert quality: which alerts fire, how often and for how long, and whether Alertmanager gets them out."""

from __future__ import annotations

from grafana import links, marks
from grafana.charts import (
    GREY,
    RATIO,
    RED,
    STACKED,
    ZERO,
    Column,
    bars,
    colours,
    dashed,
    graph,
    stat,
    table,
    timeline,
)
from grafana.panels import Panel, Query, Row
from grafana.sheet import Sheet
from grafana.variables import datasource, label, status

OURS = 'team=~"$team", alertname!="TidemarkWatchdog"'
FIRING = f'ALERTS{{alertstate="firing", {OURS}}}'
SINCE = f"ALERTS_FOR_STATE{{{OURS}}}"
SENT = "alertmanager_notifications_total"


def sheet() -> Sheet:
    """The whole dashboard."""
    return Sheet(
        "alerts",
        "Alert quality",
        "Which alerts fire, how often, for how long, and which come and go: what to tune next.",
        [datasource(), label("team", "team", "label_values(ALERTS, team)", ".+"), status()],
        [
            Row("Now", [*_numbers(), _firing()]),
            Row("By name", _by_name()),
            Row("Services and storms", [*_episodes(), *_storms()]),
            Row("Alertmanager, where it is scraped", _delivery()),
        ],
        [marks.calendars(), marks.deployments()],
        [links.status("Status page"), links.page("Alerts and thresholds", "alerting.md")],
        since="now-7d",
        refresh="5m",
    )


def _numbers() -> list[Panel]:
    return [
        stat("Firing now", "Alerts that fire now.", f"count({FIRING}) or vector(0)", alarm=1),
        stat(
            "Pages now",
            "Alerts of priority P1 or P2 that fire now.",
            f'count(ALERTS{{alertstate="firing", priority=~"P1|P2", {OURS}}}) or vector(0)',
            alarm=1,
        ),
        stat(
            "Longest",
            "How long the oldest alert has been active, pending time included.",
            f"max(time() - {SINCE}) or vector(0)",
            "s",
            86400,
        ),
        stat(
            "Activations",
            "How often alerts became active in the time range, pending ones included.",
            f"sum(changes({SINCE}[$__range]) + 1) or vector(0)",
        ),
        stat(
            "Came back",
            "Activations of an alert that had been active before in the time range: flaps.",
            f"sum(changes({SINCE}[$__range])) or vector(0)",
            alarm=10,
        ),
        stat(
            "Names that fired",
            "How many different alerts fired in the time range.",
            f"count(count by (alertname) (max_over_time({FIRING}[$__range]))) or vector(0)",
        ),
    ]


def _firing() -> Panel:
    return table(
        "Alerts now",
        "What fires or is pending, the longest first.",
        Column("active for", f"time() - {SINCE}", "s", ((86400, RED),)),
        links=links.cells("query", "service"),
    )


def _by_name() -> list[Panel]:
    step = 60
    return [
        graph(
            "Firing alerts",
            "How many alerts of each name fire.",
            "short",
            Query(f"count by (alertname) ({FIRING})", "{{alertname}}"),
            defaults=STACKED,
        ),
        timeline(
            "When they fire",
            "One bar for each name and severity.",
            "none",
            Query(f"max by (alertname, severity) ({FIRING})", "{{alertname}} {{severity}}"),
            colours(GREY, (1, RED)),
        ),
        bars(
            "Share of the time",
            "Share of the time range in which an alert of this name fired: what is always on is not heard.",
            "percentunit",
            Query(
                f"sum_over_time(max by (alertname) ({FIRING})[$__range:{step}s]) * {step} / $__range_s",
                "{{alertname}}",
                instant=True,
            ),
            defaults={**RATIO, **colours(GREY, (0.5, RED))},
        ),
        bars(
            "Activations by name",
            "How often alerts of this name became active in the time range, pending ones included.",
            "short",
            Query(
                f"sort_desc(sum by (alertname) (changes({SINCE}[$__range]) + 1))",
                "{{alertname}}",
                instant=True,
            ),
            defaults=ZERO,
        ),
        bars(
            "Activations by service",
            "The services that are told of most often.",
            "short",
            Query(
                "topk(20, sum by (service) "
                f'(changes(ALERTS_FOR_STATE{{service!="", {OURS}}}[$__range]) + 1))',
                "{{service}}",
                instant=True,
            ),
            defaults={**ZERO, "links": [links.service()]},
        ),
        graph(
            "Activations by name and day",
            "In the day before each time. A step down is what tuning looks like.",
            "short",
            Query(f"sum by (alertname) (changes({SINCE}[1d]) + 1)", "{{alertname}}"),
            defaults=STACKED,
        ),
    ]


def _episodes() -> list[Panel]:
    lead = {**ZERO, "links": [links.service()]}
    return [
        graph(
            "Episodes of strange services",
            "How often AnomalyService began to fire for each service, in the day before each time.",
            "short",
            Query("service:anomaly_episodes:sum_1d", "{{service}}"),
            defaults=lead,
        ),
        graph(
            "Time in which services were strange",
            "Share of the day before each time in which AnomalyService fired, by service.",
            "percentunit",
            Query("service:anomaly_firing:ratio_1d", "{{service}}"),
            defaults=lead,
        ),
    ]


def _storms() -> list[Panel]:
    return [
        graph(
            "Share of strange services",
            "Above the threshold, with enough services, it is one page for all of them: AnomalyStorm.",
            "percentunit",
            Query("fleet:anomaly_services:ratio", "strange"),
            Query("anomaly:storm_share_threshold:default", "threshold"),
            defaults=RATIO,
            overrides=[dashed("threshold", RED)],
        ),
        graph(
            "Strange services",
            "How many are strange, of those that are known.",
            "short",
            Query("fleet:anomaly_services:count", "strange"),
            Query("fleet:anomaly_services:known", "known"),
            defaults=ZERO,
        ),
    ]


def _delivery() -> list[Panel]:
    return [
        graph(
            "Notifications",
            "Notifications per second by channel, and those that failed.",
            "cps",
            Query(f"sum by (integration) (rate({SENT}[$__rate_interval]))", "{{integration}}"),
            Query(
                "sum by (integration) (rate(alertmanager_notifications_failed_total[$__rate_interval]))",
                "{{integration}} failed",
            ),
            defaults=ZERO,
        ),
        graph(
            "Alerts and silences",
            "What Alertmanager holds, by state.",
            "short",
            Query("sum by (state) (alertmanager_alerts)", "alerts {{state}}"),
            Query('sum by (state) (alertmanager_silences{state!="expired"})', "silences {{state}}"),
            defaults=ZERO,
        ),
    ]
