"""Exponential smoothing with the gains that suit each series best, found anew once a day."""

from __future__ import annotations

from exporter.frame import Floats
from exporter.models.refit import PERIOD, Fit, Refit


class Ets(Refit):
    """ETS(A,N,A) over hourly means: additive errors and season, no trend."""

    edge = 8.4

    def fit(self, past: Floats) -> Fit:
        """The gains of level and season that make the squared errors least, and where they have led."""
        # Here, not above: it takes seconds to import, and most never use it
        from statsmodels.tsa.holtwinters import ExponentialSmoothing

        model = ExponentialSmoothing(
            past, seasonal="add", seasonal_periods=PERIOD, initialization_method="heuristic"
        )
        found = model.fit()
        gains = found.params["smoothing_level"], found.params["smoothing_seasonal"]
        return Fit(float(found.level[-1]), found.season[-PERIOD:], (float(gains[0]), float(gains[1])))
