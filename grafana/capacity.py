"""What the exporter will need: series, memory and time over the last 30 days."""

from __future__ import annotations

from grafana.charts import ZERO, graph
from grafana.panels import Panel, Query
from grafana.variables import DETECTOR, OF_TIDEMARK, OWN


def panels() -> list[Panel]:
    """How the last 30 days went, whatever the time range is."""
    return [
        _month(
            "Scored series",
            "Memory, cycle and /metrics grow with them.",
            "short",
            Query(f'sum by (instance) (tidemark_query_series{{state="scored", {OWN}}})', "{{instance}}"),
        ),
        _month(
            "Memory",
            "Resident memory of the process.",
            "bytes",
            Query(f"process_resident_memory_bytes{{{DETECTOR}}} {OF_TIDEMARK}", "{{instance}}"),
        ),
        _month(
            "Cycle over interval",
            "Mean duration of a cycle as a share of its interval; above 80 % think of a second one.",
            "percentunit",
            Query(
                f"rate(tidemark_cycle_duration_seconds_sum{{{DETECTOR}}}[$__rate_interval]) "
                f"/ rate(tidemark_cycle_duration_seconds_count{{{DETECTOR}}}[$__rate_interval]) "
                f"/ tidemark_cycle_interval_seconds{{{DETECTOR}}}",
                "{{instance}}",
            ),
        ),
    ]


def _month(title: str, description: str, unit: str, query: Query) -> Panel:
    return graph(title, description, unit, query, defaults=ZERO, reach="30d", width=8)
