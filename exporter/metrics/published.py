"""What is exposed of series and services: the families that a snapshot may hold."""

from __future__ import annotations

from exporter.metrics.family import BY, SOURCE, Family

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

PUBLISHED = (*SCORES, *OCCASIONAL, *INPUT, *FORECASTS, *CHOICES, *JOINT, *DRIFT)
"""What a snapshot may hold, in its order."""
