"""The picture that explains a score: the value over its band, and the score with its threshold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from grafana import links
from grafana.charts import BLUE, GREY, ORANGE, PURPLE, RED, ZERO, dashed, graph, line
from grafana.panels import Panel, Query
from grafana.variables import SERIES

THRESHOLD = 'query_service:anomaly_score_threshold:effective{severity="info"}'


def of_series() -> list[Panel]:
    """Band and score of the one series that is chosen."""
    return [
        band(
            "Value and band",
            "The value leaves the band where its score passes 1. A one-sided query has one edge only.",
            lambda family: f"{family}{SERIES}",
            defaults={"links": [links.portrait()]},
            width=24,
            height=10,
        ),
        graph(
            "Score and threshold",
            "The fast score, the sustained deviation, and the info threshold that holds for this series.",
            "none",
            Query(f"anomaly_score{SERIES}", "score"),
            Query(f"anomaly_deviation{SERIES}", "deviation"),
            Query(f"{THRESHOLD} and on (query, service) anomaly_score{SERIES}", "threshold"),
            width=24,
            defaults={**ZERO, "links": [links.portrait()]},
            overrides=[
                line("score", ORANGE, lineWidth=2),
                line("deviation", PURPLE, lineWidth=1),
                dashed("threshold", RED),
            ],
        ),
    ]


def of_strangest(title: str, matchers: str, unit: str = "short", **more: Any) -> Panel:
    """Band of the series that is the strangest of those selected at the end of the time range."""
    strangest = f"topk(1, max without () (anomaly_score{{{matchers}}} @ end()))"
    return band(
        title,
        "The series with the highest score at the end of the time range. The value leaves the band where its "
        "score passes 1.",
        lambda family: f"{family}{{{matchers}}} and {strangest}",
        unit,
        **more,
    )


def band(title: str, description: str, expr: Callable[[str], str], unit: str = "short", **more: Any) -> Panel:
    """The fill lies between the edges, the value is drawn last; `expr` gives the PromQL of a family."""
    return graph(
        title,
        description,
        unit,
        Query(expr("anomaly_lower"), "lower"),
        Query(expr("anomaly_upper"), "upper"),
        Query(expr("anomaly_expected"), "expected"),
        Query(expr("anomaly_value"), "value"),
        overrides=[
            line("lower", BLUE, lineWidth=0, hideFrom={"legend": True, "tooltip": False, "viz": False}),
            line("upper", BLUE, lineWidth=0, fillBelowTo="lower", fillOpacity=18),
            dashed("expected", GREY),
            line("value", ORANGE, lineWidth=2),
        ],
        **more,
    )
