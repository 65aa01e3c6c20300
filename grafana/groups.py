"""Groups: which services are judged over several queries at once, and how their models are fitted."""

from __future__ import annotations

from grafana.charts import GREEN, RATIO, RED, STACKED, YELLOW, ZERO, bars, colours, graph
from grafana.panels import Panel, Query
from grafana.variables import DETECTOR


def panels() -> list[Panel]:
    """Services, fits and queries of each group."""
    return [
        graph(
            "Services by state",
            "Joint: judged over several queries; single: has one query only; learning: no model yet.",
            "short",
            Query(f"sum by (group, state) (tidemark_group_services{{{DETECTOR}}})", "{{group}} {{state}}"),
            defaults=STACKED,
        ),
        graph(
            "Fits",
            "Fits of each group's model, by result.",
            "short",
            Query(
                "sum by (group, result) "
                f"(increase(tidemark_group_refits_total{{{DETECTOR}}}[$__rate_interval]))",
                "{{group}} {{result}}",
            ),
            defaults=ZERO,
        ),
        graph(
            "Age of the model",
            "Time since each group's model was fitted.",
            "s",
            Query(f"time() - tidemark_group_trained_timestamp_seconds{{{DETECTOR}}}", "{{group}}"),
            defaults=ZERO,
        ),
        bars(
            "Queries that say the same",
            "Largest correlation between two queries of the group; near 1 one of them is superfluous.",
            "percentunit",
            Query(f"anomaly_group_correlation_max{{{DETECTOR}}}", "{{group}}", instant=True),
            defaults={**RATIO, **colours(GREEN, (0.9, YELLOW), (0.98, RED))},
        ),
    ]
