"""What is marked in all graphs of a dashboard: alerts, and times that were not learnt or not scored."""

from __future__ import annotations

from grafana.charts import BLUE, GREY, ORANGE, PURPLE, RED
from grafana.panels import DATASOURCE, Json
from grafana.variables import DETECTOR, SERIES

OURS = 'alertname!="TidemarkWatchdog", alertstate="firing"'


def alerts(matchers: str) -> Json:
    """Alerts that fire, of those that `matchers` select."""
    labels = "{{severity}} {{team}}"
    expr = f"ALERTS{{{OURS}, {matchers}}}"
    return marked("Alerts", RED, expr, "{{alertname}} {{service}} {{query}}", labels)


def not_learnt() -> Json:
    """Silences, alerts, incidents and configured windows that keep the models from learning."""
    expr = f"sum by (reason) (tidemark_active_windows{{{DETECTOR}}}) > 0"
    return marked("Not learnt", PURPLE, expr, "Not learnt: {{reason}}")


def calendars() -> Json:
    """Holidays, busy periods and maintenance windows."""
    expr = "max by (calendar) (calendar_active) == 1"
    return marked("Calendars", BLUE, expr, "Calendar {{calendar}}")


def paused(matchers: str) -> Json:
    """Times in which a calendar says that nothing is scored."""
    expr = f"max by (query, service) (anomaly_paused{{{matchers}}})"
    return marked("Paused", ORANGE, expr, "Paused {{query}} {{service}}")


def learning() -> Json:
    """Times in which series of a query have no score yet."""
    expr = f'sum by (query) (tidemark_query_series{{state="learning", query=~"$query", {DETECTOR}}}) > 0'
    return marked("Learning", GREY, expr, "Learning {{query}}", enabled=False)


def no_score() -> Json:
    """Times in which the chosen series is known and has no score: learning, missing or paused."""
    return marked(
        "No score", GREY, f"anomaly_input_quality_ratio{SERIES} unless anomaly_score{SERIES}", "No score"
    )


def deployments() -> Json:
    """What people or pipelines tell Grafana of by annotations with the tag deploy."""
    return {
        "datasource": {"type": "grafana", "uid": "-- Grafana --"},
        "enable": True,
        "iconColor": BLUE,
        "name": "Deployments",
        "target": {"limit": 100, "matchAny": False, "tags": ["deploy"], "type": "tags"},
    }


def marked(name: str, colour: str, expr: str, title: str, text: str = "", enabled: bool = True) -> Json:
    """Times in which `expr` has values, by its labels."""
    return {
        "datasource": DATASOURCE,
        "enable": enabled,
        "expr": expr,
        "iconColor": colour,
        "name": name,
        "step": "60s",
        "textFormat": text,
        "titleFormat": title,
    }
