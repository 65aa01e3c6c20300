"""The exporter itself: whether it runs, reads, keeps its time and its memory, and what it will need."""

from __future__ import annotations

from grafana import capacity, links, marks, process
from grafana.charts import GREEN, RATIO, RED, ZERO, colours, graph, stat, timeline
from grafana.panels import Json, Panel, Query, Row
from grafana.sheet import Sheet
from grafana.variables import DETECTOR, OF_TIDEMARK, OWN, detectors, label, status


def sheet() -> Sheet:
    """The whole dashboard."""
    query = label("query", "query", "label_values(tidemark_query_success, query)", ".+")
    return Sheet(
        "exporter",
        "Exporter health",
        "Whether Tidemark runs, reads its input, keeps its time, memory and state, and what it will need.",
        [*detectors(), query, status()],
        [
            Row("Now", _numbers()),
            Row("Cycles and queries", _cycles()),
            Row("TSDB and Alertmanager", _sources()),
            Row("Series and scores", _series()),
            Row("Process and state", process.panels()),
            Row("Capacity, the last 30 days", capacity.panels()),
        ],
        [
            marks.alerts('alertname=~"Tidemark.+"'),
            marks.learning(),
            _restarts(),
        ],
        [links.status("Status page"), links.page("Metrics", "metrics.md")],
    )


def _restarts() -> Json:
    expr = f"changes(process_start_time_seconds{{{DETECTOR}}}[2m]) > 0 {OF_TIDEMARK}"
    return marks.marked("Restarts", GREEN, expr, "Restart of {{instance}}")


def _numbers() -> list[Panel]:
    return [
        stat(
            "Detectors that are up",
            "Share of the detectors that answer a scrape.",
            f"avg(up{{{DETECTOR}}} {OF_TIDEMARK})",
            "percentunit",
            1,
            below=True,
        ),
        stat(
            "Last cycle",
            "Time since the last cycle ended.",
            f"max(time() - tidemark_last_cycle_timestamp_seconds{{{DETECTOR}}})",
            "s",
            300,
        ),
        stat(
            "Cycle over interval",
            "Mean duration of a cycle as a share of its interval; above 100 % scores are late.",
            f"max(rate(tidemark_cycle_duration_seconds_sum{{{DETECTOR}}}[$__rate_interval]) "
            f"/ rate(tidemark_cycle_duration_seconds_count{{{DETECTOR}}}[$__rate_interval]) "
            f"/ tidemark_cycle_interval_seconds{{{DETECTOR}}})",
            "percentunit",
            0.8,
        ),
        stat(
            "Queries in trouble",
            "Queries whose last read failed.",
            f"sum(1 - tidemark_query_success{{{OWN}}})",
            alarm=1,
        ),
        stat(
            "Memory",
            "Resident memory of the largest detector.",
            f"max(process_resident_memory_bytes{{{DETECTOR}}} {OF_TIDEMARK})",
            "bytes",
        ),
        stat(
            "Configuration",
            "1 while the configuration in the file is the one in use.",
            f"min(tidemark_config_last_reload_successful{{{DETECTOR}}})",
            "none",
            1,
            below=True,
        ),
    ]


def _cycles() -> list[Panel]:
    cycle = f"tidemark_cycle_duration_seconds_bucket{{{DETECTOR}}}[$__rate_interval]"
    return [
        timeline(
            "Success of each query",
            "Green while the reads of the query succeed, red while they fail.",
            "none",
            Query(f"tidemark_query_success{{{OWN}}}", "{{query}}"),
            {**colours(RED, (1, GREEN)), "links": [links.point("Its data", "input", "query")]},
        ),
        graph(
            "Failed reads",
            "Failures of each query in the interval shown, by reason.",
            "short",
            Query(
                f"sum by (query, reason) (increase(tidemark_query_failures_total{{{OWN}}}[$__rate_interval]))"
                f" or 0 * sum by (query) (tidemark_query_success{{{OWN}}})",
                "{{query}} {{reason}}",
            ),
            defaults=ZERO,
        ),
        graph(
            "Duration of a cycle",
            "Average and 99th percentile against the interval. A cycle longer than the interval is late.",
            "s",
            Query(
                f"rate(tidemark_cycle_duration_seconds_sum{{{DETECTOR}}}[$__rate_interval]) / "
                f"rate(tidemark_cycle_duration_seconds_count{{{DETECTOR}}}[$__rate_interval])",
                "average {{instance}}",
            ),
            Query(f"histogram_quantile(0.99, sum by (le) (rate({cycle})))", "99 %"),
            Query(f"tidemark_cycle_interval_seconds{{{DETECTOR}}}", "interval {{instance}}"),
            defaults=ZERO,
        ),
        graph(
            "Duration of each query",
            "Read, score and render, in its last turn.",
            "s",
            Query(f"tidemark_query_duration_seconds{{{OWN}}}", "{{query}}"),
            defaults=ZERO,
        ),
        graph(
            "Age of the newest score",
            "Time since the newest point of each query that was scored.",
            "s",
            Query(f"time() - tidemark_last_score_timestamp_seconds{{{OWN}}}", "{{query}}"),
            defaults=ZERO,
        ),
        graph(
            "History learnt",
            "How much of its history each query has read since the start.",
            "percentunit",
            Query(f"tidemark_query_bootstrap_ratio{{{OWN}}}", "{{query}}"),
            defaults=RATIO,
        ),
    ]


def _sources() -> list[Panel]:
    request = "tidemark_tsdb_request_duration_seconds"
    window = f"{{{DETECTOR}}}[$__rate_interval]"
    return [
        graph(
            "Requests to the TSDB",
            "Requests per second by HTTP status code.",
            "reqps",
            Query(f"sum by (code) (rate(tidemark_tsdb_requests_total{window}))", "{{code}}"),
            defaults=ZERO,
        ),
        graph(
            "Answer time of the TSDB",
            "Average and 99th percentile of the duration of a request.",
            "s",
            Query(f"sum(rate({request}_sum{window})) / sum(rate({request}_count{window}))", "average"),
            Query(f"histogram_quantile(0.99, sum by (le) (rate({request}_bucket{window})))", "99 %"),
            defaults=ZERO,
        ),
        timeline(
            "TSDB answers",
            "Green while requests are answered.",
            "none",
            Query(f"tidemark_tsdb_up{{{DETECTOR}}}", "{{instance}}"),
            colours(RED, (1, GREEN)),
            width=8,
        ),
        timeline(
            "Circuit",
            "Red while requests rest because the TSDB failed repeatedly.",
            "none",
            Query(f"tidemark_tsdb_circuit_open{{{DETECTOR}}}", "{{instance}}"),
            colours(GREEN, (1, RED)),
            width=8,
        ),
        timeline(
            "Alertmanager answers",
            "Green while silences and alerts can be read; without them bad times would be learnt.",
            "none",
            Query(f"tidemark_alertmanager_up{{{DETECTOR}}}", "{{alertmanager}}"),
            colours(RED, (1, GREEN)),
            width=8,
        ),
    ]


def _series() -> list[Panel]:
    return [
        graph(
            "Series by state",
            "Scored, learning (no score yet), missing (no point now) and paused.",
            "short",
            Query(f"sum by (state) (tidemark_query_series{{{OWN}}})", "{{state}}"),
            Query(f"sum by (reason) (tidemark_query_dropped_series{{{OWN}}})", "dropped: {{reason}}"),
            defaults=ZERO,
        ),
        graph(
            "Windows that keep from learning",
            "Silences, alerts, incidents and exclusions that hold now.",
            "short",
            Query(f"sum by (reason) (tidemark_active_windows{{{DETECTOR}}})", "{{reason}}"),
            defaults=ZERO,
        ),
    ]
