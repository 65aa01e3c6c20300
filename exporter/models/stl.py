"""Seasonal-trend decomposition by LOESS over two weeks of hourly means, fitted anew once a day."""

from __future__ import annotations

from exporter.frame import Floats
from exporter.models.refit import PERIOD, Fit, Refit

SEASONAL = 13
"""Days over which the LOESS of each hour's season reaches."""


class Stl(Refit):
    """The trend's end and the last day's season of the decomposition."""

    edge = 8.3

    def fit(self, past: Floats) -> Fit:
        """Cleveland's STL of statsmodels, not robust: the past holds bounded values already."""
        # Here, not above: it takes seconds to import, and most never use it
        from statsmodels.tsa.seasonal import STL

        found = STL(past, period=PERIOD, seasonal=SEASONAL).fit()
        return Fit(float(found.trend[-1]), found.seasonal[-PERIOD:])
