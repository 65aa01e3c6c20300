"""Tidemark: anomaly and drift scores for Prometheus and VictoriaMetrics, as ordinary gauge series."""

__version__ = "0.1.0"
