"""What comes next: each series carried on, and when it reaches a limit."""

from exporter.forecast.forecaster import Forecaster, Foretold
from exporter.forecast.plan import Plan

__all__ = ["Forecaster", "Foretold", "Plan"]
