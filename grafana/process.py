"""The process of the exporter: its memory, its processor time, its state on disk and its version."""

from __future__ import annotations

from grafana.charts import RED, ZERO, Column, graph, table
from grafana.panels import Panel, Query
from grafana.variables import DETECTOR, OF_TIDEMARK


def panels() -> list[Panel]:
    """Each detector as a process."""
    return [
        graph(
            "Memory, /metrics and state",
            "Resident memory of the process, size of one scrape, size of the state on disk.",
            "bytes",
            Query(f"process_resident_memory_bytes{{{DETECTOR}}} {OF_TIDEMARK}", "memory {{instance}}"),
            Query(f"tidemark_snapshot_bytes{{{DETECTOR}}}", "/metrics {{instance}}"),
            Query(f"tidemark_state_bytes{{{DETECTOR}}}", "state {{instance}}"),
            defaults=ZERO,
        ),
        graph(
            "Processor time",
            "Processor cores in use.",
            "short",
            Query(
                f"rate(process_cpu_seconds_total{{{DETECTOR}}}[$__rate_interval]) {OF_TIDEMARK}",
                "{{instance}}",
            ),
            defaults=ZERO,
        ),
        graph(
            "Time since the state was saved",
            "The state is a cache: without it, the history is read anew.",
            "s",
            Query(f"time() - tidemark_state_last_save_timestamp_seconds{{{DETECTOR}}}", "{{instance}}"),
            defaults=ZERO,
        ),
        graph(
            "Events",
            "Reloads, bootstraps, saves and the like, by result; and state files that had to be rebuilt.",
            "short",
            Query(
                f"sum by (event, result) (increase(tidemark_events_total{{{DETECTOR}}}[$__rate_interval]))",
                "{{event}} {{result}}",
            ),
            Query(
                "sum by (reason) "
                f"(increase(tidemark_state_recoveries_total{{{DETECTOR}}}[$__rate_interval]))",
                "state rebuilt: {{reason}}",
            ),
            defaults=ZERO,
        ),
        _versions(),
    ]


def _versions() -> Panel:
    return table(
        "Versions",
        "What runs, and since when. All detectors should have one version and one configuration.",
        Column(
            "started",
            f"1000 * process_start_time_seconds{{{DETECTOR}}} "
            f"* on (job, instance) group_right () tidemark_build_info{{{DETECTOR}}}",
            "dateTimeAsIso",
        ),
        Column(
            "restarts within a day",
            f"changes(process_start_time_seconds{{{DETECTOR}}}[1d]) "
            f"* on (job, instance) group_right () tidemark_build_info{{{DETECTOR}}}",
            "short",
            ((3, RED),),
        ),
        height=6,
    )
