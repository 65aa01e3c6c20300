"""Models: what they have learnt, whether they keep their promise, what they would see, and which they are."""

from __future__ import annotations

from grafana import groups, links, marks
from grafana.charts import (
    RATIO,
    RED,
    STACKED,
    YELLOW,
    ZERO,
    Column,
    edge,
    graph,
    stat,
    table,
)
from grafana.panels import Panel, Query, Row
from grafana.sheet import Sheet
from grafana.variables import CHOSEN, OWN, detectors, queries, status


def sheet() -> Sheet:
    """The whole dashboard."""
    return Sheet(
        "models",
        "Models and gates",
        "What the models have learnt, how their alarms compare with the promise, and what they would see.",
        [*detectors(), *queries(), status()],
        [
            Row("Now", [*_numbers(), _per_query()]),
            Row("What was learnt", _learnt()),
            Row("Is the promise kept?", _promise()),
            Row("Which models", _kinds()),
            Row("Groups", groups.panels()),
        ],
        [
            marks.alerts('alertname=~"Model.+"'),
            marks.not_learnt(),
            marks.learning(),
            marks.calendars(),
        ],
        [links.status("Status page"), links.page("Training", "training.md")],
        since="now-7d",
        refresh="5m",
    )


def _numbers() -> list[Panel]:
    return [
        stat(
            "Youngest model",
            "How long the query with the youngest models has learnt, history included.",
            f"min(time() - anomaly_model_trained_timestamp_seconds{{{OWN}}})",
            "s",
        ),
        stat(
            "Points seen",
            "Points that the models of the present series have seen.",
            f"sum(anomaly_model_samples{{{OWN}}})",
        ),
        stat(
            "False alarms over promise",
            "The worst query: happenings above score 1 over those that were promised; 1 is as promised.",
            f"max(anomaly_model_false_alarm_ratio{{{OWN}}})",
            "none",
            3,
        ),
        stat(
            "Learnt beyond the edge",
            "The worst query: share of the points that were learnt although they were above score 1.",
            f"max(anomaly_model_contamination_ratio{{{OWN}}})",
            "percentunit",
            0.05,
        ),
        stat(
            "Faults that would be seen",
            "The worst query: share of its series in which a planted fault would score above 1.",
            f"min(anomaly_model_synthetic_detection_ratio{{{OWN}}})",
            "percentunit",
        ),
        stat(
            "Learning series",
            "Series without a score because they are within their warm-up.",
            f'sum(tidemark_query_series{{state="learning", {OWN}}})',
        ),
    ]


def _per_query() -> Panel:
    return table(
        "By query",
        "Since when each query's models have learnt, from how much, and how they do.",
        Column(
            "false alarms", f"max by (query) (anomaly_model_false_alarm_ratio{{{OWN}}})", "none", ((3, RED),)
        ),
        Column(
            "learning since",
            f"1000 * min by (query) (anomaly_model_trained_timestamp_seconds{{{OWN}}})",
            "dateTimeAsIso",
        ),
        Column("points", f"sum by (query) (anomaly_model_samples{{{OWN}}})"),
        Column(
            "week known",
            f'min by (query) (anomaly_model_season_ratio{{season="week", {OWN}}})',
            "percentunit",
        ),
        Column("not learnt", f"sum by (query) (anomaly_model_excluded_ratio{{{OWN}}})", "percentunit"),
        Column(
            "faults seen", f"min by (query) (anomaly_model_synthetic_detection_ratio{{{OWN}}})", "percentunit"
        ),
        links={"query": links.cell("Its data", "input", "query")},
    )


def _learnt() -> list[Panel]:
    return [
        graph(
            "Season known",
            "Share of the day's and the week's hours that the models know; elsewhere scores are less sharp.",
            "percentunit",
            Query(f"anomaly_model_season_ratio{{{OWN}}}", "{{query}} {{season}}"),
            defaults=RATIO,
        ),
        graph(
            "Points not learnt",
            "Share of the points seen that were left out, by reason.",
            "percentunit",
            Query(f"sum by (query, reason) (anomaly_model_excluded_ratio{{{OWN}}})", "{{query}} {{reason}}"),
            defaults=ZERO,
        ),
        graph(
            "How much the past is worth",
            "Independent hours in the last 30 days: a few dozen are little to learn from.",
            "h",
            Query(f"anomaly_model_effective_samples{{{OWN}}}", "{{query}}"),
            defaults=ZERO,
        ),
        graph(
            "Series that return to their level",
            "Share of series that are stationary apart from their daily wave; the others wander.",
            "percentunit",
            Query(f"anomaly_model_stationary_ratio{{{OWN}}}", "{{query}}"),
            defaults=RATIO,
        ),
    ]


def _promise() -> list[Panel]:
    return [
        graph(
            "False alarms over promise",
            "1 is as promised by the sensitivity. Real incidents count too, unless they are excluded.",
            "none",
            Query(f"anomaly_model_false_alarm_ratio{{{OWN}}}", "{{query}}"),
            defaults=edge(1),
        ),
        graph(
            "Learnt beyond the edge",
            "Share of points learnt although above score 1, over weeks (contamination) or a day.",
            "percentunit",
            Query(f"anomaly_model_contamination_ratio{{{OWN}}}", "{{query}} contamination"),
            Query(f"anomaly_model_validation_ratio{{{OWN}}}", "{{query}} validation"),
            defaults=ZERO,
        ),
        graph(
            "Planted faults that would be seen",
            "Share of series in which a drop to zero or a doubling at the next point would score above 1.",
            "percentunit",
            Query(f"anomaly_model_synthetic_detection_ratio{{{OWN}}}", "{{query}} {{fault}}"),
            defaults=RATIO,
        ),
        graph(
            "Promised false alarms",
            "Of each healthy series per week, by category: the sensitivity that is configured.",
            "short",
            Query(f"anomaly_sensitivity{{{OWN}}}", "{{query}} {{category}}"),
            defaults=ZERO,
        ),
        graph(
            "Series by score",
            "How the scores are spread: nearly all belong below 1.",
            "short",
            *(Query(expr, name) for name, expr in _spread().items()),
            defaults=STACKED,
        ),
        graph(
            "Quantiles of the score",
            "Half, nine in ten and 99 in 100 of all series are below these scores.",
            "none",
            *(
                Query(f"quantile({q}, anomaly_score{{{CHOSEN}}})", f"{100 * q:.0f} %")
                for q in (0.5, 0.9, 0.99)
            ),
            defaults=edge(1),
        ),
    ]


def _spread() -> dict[str, str]:
    score = f"anomaly_score{{{CHOSEN}}}"
    return {
        "up to 0.5": f"count({score} <= 0.5) or vector(0)",
        "0.5 to 1": f"count({score} > 0.5 <= 1) or vector(0)",
        "1 to 2": f"count({score} > 1 <= 2) or vector(0)",
        "above 2": f"count({score} > 2) or vector(0)",
    }


def _kinds() -> list[Panel]:
    return [
        graph(
            "Series by model",
            "Which models judge the series now.",
            "short",
            Query(f"sum by (query, model) (anomaly_model_series{{{OWN}}})", "{{query}} {{model}}"),
            defaults=STACKED,
        ),
        graph(
            "Series by kind",
            "Constant and mostly zero series say little; see the page about data quality.",
            "short",
            Query(f"sum by (query, kind) (anomaly_input_kind_series{{{OWN}}})", "{{query}} {{kind}}"),
            defaults=STACKED,
        ),
        table(
            "Models chosen",
            "Of queries that leave the model open: which one, and its band's width over the default model's.",
            Column(
                "width", f"anomaly_chosen_model_width_ratio{{{CHOSEN}}}", "percentunit", ((1.01, YELLOW),)
            ),
            links=links.cells("query"),
        ),
    ]
