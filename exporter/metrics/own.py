"""What the detector tells of itself."""

from __future__ import annotations

from exporter.metrics.family import Family

SELF: tuple[Family, ...] = (
    Family(
        "tidemark_build_info",
        "gauge",
        "Always 1; the labels carry the version, revision and Python it runs on.",
        ("version", "revision", "python"),
    ),
    Family(
        "tidemark_config_info",
        "gauge",
        "Always 1; the label is the SHA-256 of the configuration in use.",
        ("sha256",),
    ),
    Family(
        "tidemark_config_last_reload_successful",
        "gauge",
        "1 if the last load of the configuration succeeded, else 0 and the one before it is still in use.",
    ),
    Family(
        "tidemark_config_last_reload_success_timestamp_seconds",
        "gauge",
        "When the configuration in use was loaded, in Unix seconds.",
    ),
    Family(
        "tidemark_startup_duration_seconds",
        "gauge",
        "Time from the start until the first turn of a query had ended, in seconds; 0 until then.",
    ),
    Family(
        "tidemark_cycle_duration_seconds", "histogram", "Duration of a cycle over all queries, in seconds."
    ),
    Family("tidemark_cycle_interval_seconds", "gauge", "Configured time between two cycles, in seconds."),
    Family("tidemark_last_cycle_timestamp_seconds", "gauge", "When the last cycle ended, in Unix seconds."),
    Family(
        "tidemark_query_success", "gauge", "1 if the last read of the query was scored, else 0.", ("query",)
    ),
    Family(
        "tidemark_query_duration_seconds",
        "gauge",
        "Duration of the query's last turn: read, score and render, in seconds.",
        ("query",),
    ),
    Family("tidemark_query_interval_seconds", "gauge", "Step of the query, in seconds.", ("query",)),
    Family(
        "tidemark_query_series",
        "gauge",
        "Series of the query by state: scored, learning (within the warm-up), missing (no point now) or "
        "paused (a calendar says no_score).",
        ("query", "state"),
    ),
    Family(
        "tidemark_query_dropped_series",
        "gauge",
        "Series of the last read that are not scored, by reason: limit (max_series of the query).",
        ("query", "reason"),
    ),
    Family(
        "tidemark_query_bootstrap_ratio",
        "gauge",
        "Share of the query's history that was read and learnt, 0 to 1; 1 once it is live.",
        ("query",),
    ),
    Family(
        "tidemark_query_failures_total",
        "counter",
        "Failed turns of the query, by reason.",
        ("query", "reason"),
    ),
    Family(
        "tidemark_last_score_timestamp_seconds",
        "gauge",
        "Time of the newest point that was scored, in Unix seconds.",
        ("query",),
    ),
    Family(
        "tidemark_input_invalid_samples_total",
        "counter",
        "Samples that were taken for absent, by reason: nan, inf, histogram, below_domain or above_domain.",
        ("query", "reason"),
    ),
    Family(
        "tidemark_group_services",
        "gauge",
        "Services of the group by state: joint (scored over two or more queries), single (only one query is "
        "there, and its score is taken) or learning (the group has no model yet).",
        ("group", "state"),
    ),
    Family(
        "tidemark_group_refits_total",
        "counter",
        "Fits of the group's model, by result: success, too_short (not enough past yet) or failure.",
        ("group", "result"),
    ),
    Family(
        "tidemark_group_trained_timestamp_seconds",
        "gauge",
        "When the group's model in use was fitted, in Unix seconds.",
        ("group",),
    ),
    Family("tidemark_tsdb_up", "gauge", "1 if the last request to the TSDB was answered, else 0."),
    Family(
        "tidemark_tsdb_requests_total",
        "counter",
        "Requests to the TSDB by HTTP status code, or 'error' where there was no answer.",
        ("code",),
    ),
    Family(
        "tidemark_tsdb_request_duration_seconds", "histogram", "Duration of requests to the TSDB, in seconds."
    ),
    Family(
        "tidemark_tsdb_circuit_open",
        "gauge",
        "1 while requests are held back because the TSDB failed repeatedly, else 0.",
    ),
    Family(
        "tidemark_alertmanager_up",
        "gauge",
        "1 if the last read of this Alertmanager's silences and alerts succeeded, else 0.",
        ("alertmanager",),
    ),
    Family(
        "tidemark_active_windows",
        "gauge",
        "Windows that hold now and keep series from learning, by reason; calendars have calendar_active.",
        ("reason",),
    ),
    Family("tidemark_state_ok", "gauge", "1 if the last save of the state succeeded and no file is damaged."),
    Family("tidemark_state_bytes", "gauge", "Size of the saved state on disk, in bytes."),
    Family(
        "tidemark_state_last_save_timestamp_seconds",
        "gauge",
        "When the state was last saved, in Unix seconds.",
    ),
    Family(
        "tidemark_state_recoveries_total",
        "counter",
        "State files that could not be used and were set aside and rebuilt from history, by reason.",
        ("reason",),
    ),
    Family(
        "tidemark_events_total",
        "counter",
        "Events of the detector's life, such as reload, bootstrap and state_save, by result.",
        ("event", "result"),
    ),
    Family("tidemark_snapshot_bytes", "gauge", "Size of the exposed scores as text, in bytes."),
)
