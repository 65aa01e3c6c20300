"""Rows that a query exposes beside its scores: models that were chosen, forecasts, and who rests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from exporter.durations import format_duration
from exporter.forecast.forecaster import Foretold
from exporter.frame import Floats, Mask
from exporter.metrics.exposition import Table
from exporter.metrics.labels import with_choice, with_label
from exporter.models.contract import Choosing
from exporter.query.population import Population


def chosen_models(series: Population, judged: Mask) -> Sequence[Table]:
    """Which model each series that is `judged` (S,) has, and why; nothing where the query names its model."""
    model = series.model
    if not isinstance(model, Choosing):
        return ()
    names, chosen = series.choices()
    rows = np.flatnonzero(judged)
    families = {
        "anomaly_chosen_model_info": np.ones(len(rows)),
        "anomaly_chosen_model_width_ratio": np.round(model.reasons()[chosen[rows], rows], 3),
    }
    return (Table(with_choice(series.roster.rendered, "model", names, chosen, judged), families),)


def forecasts(labels: Sequence[bytes], foretold: Foretold | None, here: Mask) -> Sequence[Table]:
    """The forecasts of the series that are `here` (S,), by horizon and by limit."""
    if foretold is None:
        return ()
    names = ("forecast_value", "forecast_lower", "forecast_upper")
    ahead = (
        Table(
            with_label(labels, "horizon", format_duration(horizon)),
            {name: np.where(here, row, np.nan) for name, row in zip(names, found, strict=True)},
        )
        for horizon, found in foretold.ahead.items()
    )
    until = (
        Table(
            with_label(labels, "limit", limit),
            {"forecast_seconds_to_limit": np.where(here, np.round(seconds), np.nan)},
        )
        for limit, seconds in foretold.until.items()
    )
    return (*ahead, *until)


def resting(series: Population, time: int, told: Mapping[str, Floats]) -> Sequence[Table]:
    """Which series that are expected have no score at `time` because a calendar says so."""
    hidden = series.exclusions.at(time).hidden
    if hidden is None:
        return ()
    paused = np.where(hidden & np.isfinite(told["anomaly_input_lag_seconds"]), 1.0, np.nan)
    return (Table(series.roster.rendered, {"anomaly_paused": paused}),)
