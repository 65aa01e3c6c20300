"""What is told of queries, services and calendars as a whole."""

from __future__ import annotations

from exporter.metrics.family import Family

QUERIES: tuple[Family, ...] = (
    Family(
        "anomaly_query_info",
        "gauge",
        "Always 1; the labels say what the configuration says of the query: its signal (empty: none) and "
        "the direction that is bad news.",
        ("query", "signal", "direction"),
    ),
    Family(
        "forecast_error_ratio",
        "gauge",
        "Mean error of past forecasts over that of 'it stays as it is', median of the query's series: "
        "below 1 is better than no forecast.",
        ("query", "horizon"),
    ),
    Family(
        "anomaly_input_available_ratio",
        "gauge",
        "Share of the query's series seen within a day that have a point now, 0 to 1.",
        ("query",),
    ),
    Family(
        "anomaly_input_stuck_series",
        "gauge",
        "Series of the query that have not moved for far longer than ever before (key stuck_after).",
        ("query",),
    ),
    Family(
        "anomaly_input_kind_series",
        "gauge",
        "Series of the query that are here now, by kind: constant (one value for a week, or ever), "
        "zero_dominated (nine in ten points of about the last week are 0) or varying.",
        ("query", "kind"),
    ),
    Family(
        "anomaly_sensitivity",
        "gauge",
        "False alarms promised per healthy series and week, by category of the series (none: all others). "
        "More means more sensitive: a lower edge of normal.",
        ("query", "category"),
    ),
    Family(
        "anomaly_model_series",
        "gauge",
        "Series of the query that are scored now, by the model that judges them.",
        ("query", "model"),
    ),
    Family(
        "anomaly_model_trained_timestamp_seconds",
        "gauge",
        "Since when the query's models have learnt: time of their history's first point, in Unix seconds.",
        ("query",),
    ),
    Family(
        "anomaly_model_samples",
        "gauge",
        "Points that the models of the query's present series have seen.",
        ("query",),
    ),
    Family(
        "anomaly_model_false_alarm_ratio",
        "gauge",
        "Happenings above score 1 over those that the sensitivity promised, mean over the query's series and "
        "the past weeks (half-life 4 weeks): 1 is as promised. Real incidents count too, unless excluded.",
        ("query",),
    ),
    Family(
        "anomaly_model_contamination_ratio",
        "gauge",
        "Share of the points with a score that were learnt although they were above score 1, over the past "
        "weeks (half-life 4 weeks), 0 to 1.",
        ("query",),
    ),
    Family(
        "anomaly_model_validation_ratio",
        "gauge",
        "The same over about the last day, mean of the query's series, 0 to 1.",
        ("query",),
    ),
    Family(
        "anomaly_model_season_ratio",
        "gauge",
        "Share of the season that the models of the query's series know, 0 to 1, mean of those here now: "
        "hours of the day seen, hours of the week seen twice. Looked at once an hour.",
        ("query", "season"),
    ),
    Family(
        "anomaly_model_synthetic_detection_ratio",
        "gauge",
        "Share of up to 200 scored series in which a fault at the next point would score above 1, by fault: "
        "zero or doubled, of the value. Tried once an hour on a copy of the model.",
        ("query", "fault"),
    ),
    Family(
        "anomaly_model_stationary_ratio",
        "gauge",
        "Share of up to 50 series of the query whose hours of the last 30 days, less their daily wave, "
        "return to their level (augmented Dickey-Fuller, 5 %), 0 to 1. Looked at once a day.",
        ("query",),
    ),
    Family(
        "anomaly_model_effective_samples",
        "gauge",
        "How many independent hours those of the last 30 days are worth, less their daily wave: median of up "
        "to 50 series of the query. Looked at once a day.",
        ("query",),
    ),
    Family(
        "anomaly_model_excluded_ratio",
        "gauge",
        "Share of the points seen that the query's models did not learn, 0 to 1, by reason: calendar, "
        "exclusion, incident, silence or alert; absent where there was none.",
        ("query", "reason"),
    ),
    Family(
        "anomaly_group_correlation_max",
        "gauge",
        "Largest correlation, 0 to 1 without sign, between the residuals of two queries of the group when "
        "its model was last fitted: near 1 they say the same.",
        ("group",),
    ),
    Family(
        "drift_reference_info",
        "gauge",
        "Always 1; the label is the SHA-256 of the reference that drift of the query is measured against.",
        ("query", "sha256"),
    ),
    Family(
        "drift_reference_timestamp_seconds",
        "gauge",
        "End of the period that the drift reference of the query was learnt from, in Unix seconds.",
        ("query",),
    ),
    Family(
        "drift_reference_valid",
        "gauge",
        "1 if the drift reference of the query has the hash it was learnt with, else 0: it is not used.",
        ("query",),
    ),
    Family(
        "drift_last_success_timestamp_seconds",
        "gauge",
        "End of the newest window of the query that was compared with its reference, in Unix seconds.",
        ("query",),
    ),
    Family(
        "drift_failures_total",
        "counter",
        "Comparisons of the query's windows that ended in an error, by query.",
        ("query",),
    ),
)
"""What is said of each query's models, not of each series."""

SERVICES: tuple[Family, ...] = (
    Family(
        "anomaly_dependency_info",
        "gauge",
        "Always 1; the configuration says that the service calls the one in depends_on: itself (distance 1) "
        "or through others.",
        ("service", "depends_on", "distance"),
    ),
)
"""What the configuration says of services."""

CALENDARS: tuple[Family, ...] = (
    Family(
        "calendar_active",
        "gauge",
        "1 during a holiday, busy period or other window of the calendar, else 0.",
        ("calendar",),
    ),
    Family(
        "anomaly_period_info",
        "gauge",
        "Always 1; the label names the time period of the moment.",
        ("period",),
    ),
)
"""What is said of the time of day and year."""
