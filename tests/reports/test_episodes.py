"""Episodes of alerts: where they begin and end, and which others confirm them."""

from __future__ import annotations

import numpy as np
import orjson

from exporter.frame import Frame
from exporter.reports.episodes import Episode, episodes, strange

STEP = 60


def frame(start: int, **rows: str) -> Frame:
    """Alerts by name, `x` where one fires; all critical and of service a."""
    keys = [orjson.dumps({"alertname": name, "severity": "critical", "service": "a"}) for name in rows]
    values = np.array([[1.0 if it == "x" else np.nan for it in row] for row in rows.values()])
    return Frame(keys, start + np.arange(values.shape[1]) * STEP, values)


def spans(found: list[Episode]) -> list[tuple[str, int, int]]:
    """Name, begin and end in points."""
    return [(it.alert, it.start // STEP, it.end // STEP) for it in found]


def test_an_episode_goes_on_across_frames_and_short_pauses() -> None:
    """A frame ends where a request did, and a flapping alert is one episode, not twenty."""
    found = episodes([frame(0, Down="..xx"), frame(4 * STEP, Down="xx..x" + "." * 20 + "x")], STEP)
    assert spans(found) == [("Down", 2, 9), ("Down", 29, 30)]


def test_what_tells_nobody_is_left_out() -> None:
    """The dead-man's switch always fires, and maintenance only mutes."""
    assert spans(episodes([frame(0, TidemarkWatchdog="xx", Maintenance="xx", Down="x.")], STEP)) == [
        ("Down", 0, 1)
    ]


def test_an_alert_of_others_confirms_an_anomaly() -> None:
    """One that fires at the same time for the same service does; Tidemark's own do not."""
    every = episodes([frame(0, AnomalyService="..xx", Down=".xx.", DriftSevere="xxxx")], STEP)
    assert [(it.alert, it.confirmed) for it in strange(every)] == [("AnomalyService", "Down")]


def test_an_alert_of_another_time_or_service_confirms_nothing() -> None:
    """An hour apart, or of another service, is something else."""
    anomaly = Episode({"alertname": "AnomalyService", "service": "a", "severity": "critical"}, 0, 600)
    late = Episode({"alertname": "Down", "service": "a", "severity": "critical"}, 4200, 4800)
    other = Episode({"alertname": "Down", "service": "b", "severity": "critical"}, 0, 600)
    mild = Episode({"alertname": "Hint", "service": "a", "severity": "info"}, 0, 600)
    assert [it.confirmed for it in strange([anomaly, late, other, mild])] == [""]
