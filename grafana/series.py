"""One series: value over band, score, drift, new levels, forecast, input; what was not learnt is marked."""

from __future__ import annotations

from grafana import links, marks
from grafana.band import of_series
from grafana.charts import (
    BLUE,
    GREY,
    ORANGE,
    RATIO,
    RED,
    YELLOW,
    ZERO,
    Column,
    dashed,
    edge,
    graph,
    line,
    stat,
    table,
)
from grafana.panels import Panel, Query, Row
from grafana.sheet import Sheet
from grafana.variables import CHOSEN, DETECTOR, SERIES, detectors, queries, series, status

DRIFTING = f"and on (query, service) anomaly_score{SERIES}"


def sheet() -> Sheet:
    """The whole dashboard."""
    return Sheet(
        "series",
        "Series",
        "Why one series is strange: its value and band, score, drift, levels, forecast and input.",
        [
            *detectors(),
            *queries(),
            series(f"topk(200, max without () (anomaly_score{{{CHOSEN}}}))"),
            status(),
        ],
        [
            Row("$series", [*_now(), *of_series()]),
            Row("Drift and levels", _change()),
            Row("What comes next", _ahead()),
            Row("Input and learning", _input()),
        ],
        [
            marks.alerts('alertname=~"Anomaly.+|Drift.+", service=~"$service|", query=~"$query|"'),
            marks.not_learnt(),
            marks.calendars(),
            marks.no_score(),
            marks.deployments(),
        ],
        [
            links.status("Status page"),
            links.page("The score in plain words", "score.md"),
        ],
    )


def _now() -> list[Panel]:
    return [
        stat("Score", "How strange it is now; 1 is the edge of normal.", f"anomaly_score{SERIES}", "none", 1),
        stat(
            "Deviation",
            "How strange it has been for a while, on the same scale.",
            f"anomaly_deviation{SERIES}",
            "none",
            1,
        ),
        stat("Value", "What was observed, in the unit of the query.", f"anomaly_value{SERIES}"),
        stat("Expected", "What was expected, in the unit of the query.", f"anomaly_expected{SERIES}"),
        stat(
            "Value over expected",
            "The observed value as a share of the expected one; nothing where 0 was expected.",
            f"anomaly_value{SERIES} / (anomaly_expected{SERIES} != 0)",
            "percentunit",
        ),
        stat(
            "Input quality",
            "Share of the points of about the last day that were there, possible and moving.",
            f"anomaly_input_quality_ratio{SERIES}",
            "percentunit",
            0.9,
            below=True,
        ),
    ]


def _change() -> list[Panel]:
    limit = "query_service:drift_score_threshold:effective"
    return [
        graph(
            "Drift score by test",
            "How far the last day is from like days before, by test; combined is the one that alerts read.",
            "none",
            Query(f"drift_score{SERIES}", "{{test}}"),
            Query(f'{limit}{{severity="warning"}} {DRIFTING}', "moderate"),
            Query(f'{limit}{{severity="critical"}} {DRIFTING}', "severe"),
            defaults=ZERO,
            overrides=[
                line("combined", ORANGE, lineWidth=2),
                dashed("moderate", YELLOW),
                dashed("severe", RED),
            ],
        ),
        table(
            "Changes",
            "When the change began that drift shows, and how large it is; when a level that lasted became "
            "the new normal, and how far it is from the one before.",
            Column("drifting since", f"1000 * drift_changed_timestamp_seconds{SERIES}", "dateTimeAsIso"),
            Column("shift", f"drift_shift{SERIES}"),
            Column("movement", f"drift_movement_ratio{SERIES}", "percentunit"),
            Column(
                "new level since", f"1000 * anomaly_level_shift_timestamp_seconds{SERIES}", "dateTimeAsIso"
            ),
            Column("step", f"anomaly_level_shift_size{SERIES}"),
            width=12,
            height=8,
        ),
    ]


def _ahead() -> list[Panel]:
    return [
        graph(
            "Forecast made at each time",
            "The value that was expected the horizon later, with the band that nine in ten values keep to.",
            "short",
            Query(f"forecast_value{SERIES}", "{{horizon}} ahead"),
            Query(f"forecast_lower{SERIES}", "lower, {{horizon}}"),
            Query(f"forecast_upper{SERIES}", "upper, {{horizon}}"),
            Query(f"anomaly_value{SERIES}", "value"),
            overrides=[line("value", ORANGE, lineWidth=2)],
        ),
        graph(
            "Time until a limit",
            "When the forecast's band reaches each configured limit; nothing where it does not.",
            "s",
            Query(f"forecast_seconds_to_limit{SERIES}", "{{limit}}"),
            defaults=ZERO,
        ),
    ]


def _input() -> list[Panel]:
    return [
        graph(
            "Quality and confidence",
            "Share of good points of about the last day, and confidence in the score where it is exposed.",
            "percentunit",
            Query(f"anomaly_input_quality_ratio{SERIES}", "quality"),
            Query(f"anomaly_confidence{SERIES}", "confidence"),
            defaults=RATIO,
            overrides=[line("quality", BLUE), line("confidence", GREY)],
        ),
        graph(
            "Lag of the input",
            "Age of the newest point.",
            "s",
            Query(f"anomaly_input_lag_seconds{SERIES}", "lag"),
            defaults=ZERO,
        ),
        graph(
            "Share of points left out of learning",
            "Of the whole query, by reason: calendar, exclusion, incident, silence or alert.",
            "percentunit",
            Query(f'anomaly_model_excluded_ratio{{query=~"$query", {DETECTOR}}}', "{{query}} {{reason}}"),
            defaults=ZERO,
        ),
        graph(
            "Highest score of the series beside it",
            "The scores of the chosen queries and services: is this series alone?",
            "none",
            Query(f"max by (query, service) (anomaly_score{{{CHOSEN}}})", "{{service}} {{query}}"),
            defaults={**edge(1), "links": [links.series()]},
        ),
    ]
