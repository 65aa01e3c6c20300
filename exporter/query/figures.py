"""What a query tells of its series as a whole: how many there are of a kind, and what their models know."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from exporter.durations import format_duration
from exporter.frame import Floats, Mask
from exporter.query import survey
from exporter.query.population import Population
from exporter.query.surroundings import Reader


class Figures:
    """The figures of one query, told through its `reader`."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._surveyed = -1

    def counts(self, counts: Mapping[str, int]) -> None:
        """How many series are in which state."""
        for state, count in counts.items():
            self._reader.tell("query_series", count, state=state)

    def models(self, series: Population, judged: Mask) -> None:
        """How many of the series that are `judged` (S,) have which model."""
        names, chosen = series.choices()
        for name, count in zip(names, np.bincount(chosen[judged], minlength=len(names)), strict=True):
            self._reader.tell("anomaly_model_series", int(count), model=name)

    def input(self, series: Population, values: Floats, lag: Floats) -> None:
        """How many of the series that are expected are here, and how many of them stand still."""
        expected, here = np.isfinite(lag), np.isfinite(values)
        if expected.any():
            self._reader.tell("anomaly_input_available_ratio", float(here.sum() / expected.sum()))
        self._reader.tell("anomaly_input_stuck_series", int((series.quality.stuck & here).sum()))
        for kind, count in series.quality.kinds(here).items():
            self._reader.tell("anomaly_input_kind_series", count, kind=kind)

    def refused(self, series: Population) -> None:
        """Count the samples that could not be true, once each."""
        for reason, amount in series.refused.items():
            self._reader.count("input_invalid_samples_total", amount, reason=reason)
        series.refused.clear()

    def forecasts(self, error_ratio: Mapping[float, float]) -> None:
        """How good forecasts were, by horizon in seconds."""
        for horizon, ratio in error_ratio.items():
            self._reader.tell("forecast_error_ratio", ratio, horizon=format_duration(horizon))

    def knowledge(self, series: Population, begun: int) -> None:
        """How much the models know since Unix second `begun`, and whether they keep what was promised."""
        record = series.record
        self._reader.tell("anomaly_model_trained_timestamp_seconds", begun)
        self._reader.tell("anomaly_model_samples", float(record.state["points"].sum(dtype=np.float64)))
        ratios = {
            "false_alarm": record.false_alarm_ratio(),
            "contamination": record.contamination_ratio(),
            "validation": record.validation_ratio(),
        }
        for name, ratio in ratios.items():
            if not math.isnan(ratio):
                self._reader.tell(f"anomaly_model_{name}_ratio", ratio)
        for reason, share in record.excluded_ratio().items():
            self._reader.tell("anomaly_model_excluded_ratio", share, reason=reason)

    def survey(self, series: Population, time: int, values: Floats, judged: Mask) -> None:
        """What takes longer to find out, once an hour; `judged` (S,): who has a score."""
        number = survey.turn(series.query.name, time)
        if number == self._surveyed:
            return
        new_day, self._surveyed = number // 24 != self._surveyed // 24, number
        for season, share in survey.season_ratio(series, np.isfinite(values)).items():
            self._reader.tell("anomaly_model_season_ratio", share, season=season)
        for fault, share in survey.detection_ratio(series, time, values, judged).items():
            self._reader.tell("anomaly_model_synthetic_detection_ratio", share, fault=fault)
        if new_day:
            for name, figure in survey.past_figures(series, np.isfinite(values)).items():
                self._reader.tell(f"anomaly_model_{name}", figure)
