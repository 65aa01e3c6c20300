"""The catalogue: every metric family that Tidemark exposes, with its type, labels and help text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SOURCE = "source"
"""Stands in `labels` for all labels of the scored series."""

BY = "by"
"""Stands in `labels` for the labels that a group is made by."""


@dataclass(frozen=True, slots=True)
class Family:
    """One metric family as a scrape shows it; `help` names the unit."""

    name: str
    kind: Literal["gauge", "counter", "histogram"]
    help: str
    labels: tuple[str, ...] = ()


_PER_SERIES = ("query", SOURCE)
_CLOCK = "Computed on the cycle's clock, not in the scrape."

SCORES: tuple[Family, ...] = (
    Family(
        "anomaly_score",
        "gauge",
        "How strange the series is now, without unit: 0 at the expected value, 1 at the edge of normal, "
        f"logarithmic in rarity above it. {_CLOCK}",
        _PER_SERIES,
    ),
    Family(
        "anomaly_deviation",
        "gauge",
        "Sustained distance from normal on the scale of anomaly_score, without unit: rises more slowly and "
        f"stays up while an incident lasts. {_CLOCK}",
        _PER_SERIES,
    ),
    Family("anomaly_value", "gauge", f"Observed value, in the unit of the query. {_CLOCK}", _PER_SERIES),
    Family("anomaly_expected", "gauge", f"Expected value, in the unit of the query. {_CLOCK}", _PER_SERIES),
    Family(
        "anomaly_lower",
        "gauge",
        f"Lower edge of normal, where anomaly_score crosses 1, in the unit of the query. {_CLOCK}",
        _PER_SERIES,
    ),
    Family(
        "anomaly_upper",
        "gauge",
        f"Upper edge of normal, where anomaly_score crosses 1, in the unit of the query. {_CLOCK}",
        _PER_SERIES,
    ),
)

CHOICES: tuple[Family, ...] = (
    Family(
        "anomaly_chosen_model_info",
        "gauge",
        f"Always 1; the label model names the model that judges the series of an auto query. {_CLOCK}",
        (*_PER_SERIES, "model"),
    ),
    Family(
        "anomaly_chosen_model_width_ratio",
        "gauge",
        "Why that model: how wide its band has been in the last days over that of the default model, which "
        f"it must beat by a quarter; 1 where it is the default model. {_CLOCK}",
        (*_PER_SERIES, "model"),
    ),
    Family(
        "anomaly_category_info",
        "gauge",
        "Always 1; the label names the category of the series; absent where it has none, or no score. "
        f"{_CLOCK}",
        (*_PER_SERIES, "category"),
    ),
)
"""What is said of each series of an auto query, or of one with a category, under one label more."""

OCCASIONAL: tuple[Family, ...] = (
    Family(
        "anomaly_confidence",
        "gauge",
        "How far the score can be trusted, 0 to 1: lowered by a young series, missing points, a recent level "
        f"shift, drift and near misses; exposed where outputs name it. {_CLOCK}",
        _PER_SERIES,
    ),
    Family(
        "anomaly_level_shift_timestamp_seconds",
        "gauge",
        "When a level that lasted was last accepted as the new normal, in Unix seconds; absent where there "
        f"was none within the query's history. {_CLOCK}",
        _PER_SERIES,
    ),
    Family(
        "anomaly_level_shift_size",
        "gauge",
        f"How far that level lies from the one before it, in the unit of the query. {_CLOCK}",
        _PER_SERIES,
    ),
)
"""What is said of a series only when there is something to say, or when a query asks for it."""

INPUT: tuple[Family, ...] = (
    Family(
        "anomaly_input_quality_ratio",
        "gauge",
        "Share of the series' points of about the last day that were there, possible and not stuck, 0 to 1; "
        f"goes on for a day after the last point. {_CLOCK}",
        _PER_SERIES,
    ),
    Family(
        "anomaly_input_lag_seconds",
        "gauge",
        "Time since the series' last point, in seconds: the offset of the query while all is well; "
        f"goes on for a day after the last point. {_CLOCK}",
        _PER_SERIES,
    ),
    Family(
        "anomaly_paused",
        "gauge",
        "Always 1, while a calendar says no_score for the series; goes on for a day after the last point. "
        f"{_CLOCK}",
        _PER_SERIES,
    ),
)
"""What is said of the input of each series, whether it has a score or not."""

FORECASTS: tuple[Family, ...] = (
    Family(
        "forecast_value",
        "gauge",
        f"Value expected the horizon from now, in the unit of the query. {_CLOCK}",
        (*_PER_SERIES, "horizon"),
    ),
    Family(
        "forecast_lower",
        "gauge",
        f"Lower end of the band that nine in ten values keep to, in the unit of the query. {_CLOCK}",
        (*_PER_SERIES, "horizon"),
    ),
    Family(
        "forecast_upper",
        "gauge",
        f"Upper end of the band that nine in ten values keep to, in the unit of the query. {_CLOCK}",
        (*_PER_SERIES, "horizon"),
    ),
    Family(
        "forecast_seconds_to_limit",
        "gauge",
        "Time until the forecast's band reaches the limit, in seconds: 0 where it has; absent where it does "
        f"not within the reach. {_CLOCK}",
        (*_PER_SERIES, "limit"),
    ),
)
"""What is foretold of each series of the queries that ask for it."""

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

JOINT: tuple[Family, ...] = (
    Family(
        "anomaly_group_score",
        "gauge",
        "How strange a service is now over all queries of its group, without unit, on the scale of "
        f"anomaly_score: 1 at the edge of normal. {_CLOCK}",
        ("group", BY),
    ),
    Family(
        "anomaly_group_contribution",
        "gauge",
        f"Share of each query in the group score of the service, 0 to 1; they sum to 1. {_CLOCK}",
        ("group", BY, "query"),
    ),
)

DRIFT: tuple[Family, ...] = (
    Family(
        "drift_score",
        "gauge",
        "Distance between the recent window and the reference, in standard deviations of that distance over "
        "the days of the reference: below 3 normal, 3 to 5 moderate, above 5 severe. Computed every hour.",
        ("query", SOURCE, "test"),
    ),
    Family(
        "drift_changed_timestamp_seconds",
        "gauge",
        "When the change began that drift_score of test combined shows at 3 or more, in Unix seconds.",
        _PER_SERIES,
    ),
    Family(
        "drift_shift",
        "gauge",
        "Median shift of the window against like hours, where test combined is at 3 or more, in the unit of "
        "the query.",
        _PER_SERIES,
    ),
    Family(
        "drift_movement_ratio",
        "gauge",
        "Movement within the window over that of like hours, where test combined is at 3 or more, without "
        "unit: 1 is as before.",
        _PER_SERIES,
    ),
    Family(
        "drift_group_score",
        "gauge",
        "Joint drift of a service over the queries of its group, without unit, on the scale of drift_score, "
        "by test: mahalanobis or classifier. Computed every hour.",
        ("group", BY, "test"),
    ),
)
"""What is said of windows, once an hour."""

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

PUBLISHED = (*SCORES, *OCCASIONAL, *INPUT, *FORECASTS, *CHOICES, *JOINT, *DRIFT)
"""What a snapshot may hold, in its order."""

CATALOGUE: dict[str, Family] = {
    family.name: family for family in (*PUBLISHED, *CALENDARS, *SERVICES, *QUERIES, *SELF)
}
