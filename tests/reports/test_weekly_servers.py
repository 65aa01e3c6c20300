"""The weekly report from a real VictoriaMetrics that scraped Tidemark and heard vmalert."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exporter.demo import servers

pytestmark = pytest.mark.servers

DAY, HOUR, MINUTE = 86_400, 3_600, 60
CONFIG = """
tsdb: {{url: "{url}"}}
queries: [{{name: load, expr: load}}]
"""


def series(end: int) -> Iterator[tuple[dict[str, str], np.ndarray, np.ndarray]]:
    """Labels, times and values: two incidents, of which another alert confirms one, and an info."""
    times = np.arange(end - 3 * DAY, end + 1, MINUTE)
    first = (times >= end - 2 * DAY) & (times < end - 2 * DAY + HOUR)
    second = (times >= end - DAY) & (times < end - DAY + HOUR // 2)
    load = {"query": "load", "service": "shop"}
    wave = 100 + 20 * np.sin(2 * np.pi * times / DAY)
    value = np.where(first | second, 20.0, wave)
    yield {"__name__": "anomaly_score", **load}, times, np.where(first | second, 3.0, 0.2)
    yield {"__name__": "anomaly_value", **load}, times, value
    for name, apart in (("lower", -15), ("upper", 15), ("expected", 0)):
        yield {"__name__": f"anomaly_{name}", **load}, times, wave + apart
    alert = {"__name__": "ALERTS", "alertstate": "firing", "service": "shop"}
    page = {**alert, "alertname": "AnomalyService", "severity": "critical", "priority": "P2"}
    for there in (first, second):
        yield page, times[there], np.ones(there.sum())
    yield {**alert, "alertname": "ShopDown", "severity": "critical"}, times[first], np.ones(first.sum())
    hint = {**alert, "alertname": "AnomalySeries", "severity": "info", "query": "load"}
    yield hint, times[second], np.ones(second.sum())
    for name, number in (("anomaly_model_false_alarm_ratio", 0.8), ("anomaly_input_quality_ratio", 0.99)):
        yield {"__name__": name, "query": "load"}, times, np.full(len(times), number)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report that the command wrote, without its suffix."""
    directory = tmp_path_factory.mktemp("weekly")
    end = int(time.time()) // HOUR * HOUR
    with servers.victoria_metrics(directory / "vm") as tsdb:
        lines = [
            json.dumps({"metric": labels, "timestamps": (at * 1000).tolist(), "values": values.tolist()})
            for labels, at, values in series(end)
        ]
        servers.import_json_lines(tsdb.url, [it.encode() for it in lines])
        servers.make_searchable(tsdb.url)
        (directory / "tidemark.yml").write_text(CONFIG.format(url=tsdb.url))
        stamp = time.strftime("%Y-%m-%dT%H:%M", time.gmtime(end))
        options = ["--config.file", directory / "tidemark.yml", "--end", stamp, "--to", directory / "week"]
        command = [sys.executable, "-m", "exporter", "report", "weekly", *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout.split()) == (
            0,
            [f"{directory}/week.html", f"{directory}/week.json"],
        ), done.stderr
    return directory / "week"


@pytest.fixture(scope="module")
def document(written: Path) -> dict[str, Any]:
    """Its JSON."""
    found: dict[str, Any] = json.loads(written.with_suffix(".json").read_text())
    return found


def test_alerts_are_counted_by_day_with_their_outcome(document: dict[str, Any]) -> None:
    """Two pages, one of them confirmed; the alert that confirmed it stands by itself."""
    alerts = {it["alert"]: it for it in document["alerts"]}
    assert set(alerts) == {"AnomalyService", "AnomalySeries", "ShopDown"}
    assert sum(alerts["AnomalyService"]["per_day"]) == 2
    assert alerts["AnomalyService"]["confirmed"] == 1
    assert alerts["ShopDown"]["confirmed"] is None
    assert alerts["AnomalyService"]["seconds"] == pytest.approx(90 * MINUTE, abs=12 * MINUTE)
    assert (document["told"], document["false_alarms"]) == (2, 1)


def test_episodes_have_the_band_of_their_strangest_series(document: dict[str, Any]) -> None:
    """The longest page first, with the hours around it, and the value outside of the band in it."""
    worst = document["pictured"][0]
    assert worst["episode"]["confirmed"] == "ShopDown"
    assert worst["series"] == {"query": "load", "service": "shop"}
    outside = [value < low for value, low in zip(worst["band"]["value"], worst["band"]["lower"], strict=True)]
    assert any(outside)
    assert not outside[0]


def test_queries_have_their_figures(document: dict[str, Any]) -> None:
    """What the TSDB does not know is absent, not 0."""
    assert document["figures"]["load"]["false_alarm_ratio"] == 0.8
    assert document["figures"]["load"]["quality"] == pytest.approx(0.99)
    assert "drift" not in document["figures"]["load"]


def test_the_page_holds_the_same(written: Path) -> None:
    """One file with pictures, which asks nobody for anything."""
    text = written.with_suffix(".html").read_text()
    assert (
        "2 anomalies told as a page or a ticket; another alert of the same service confirmed 1 of 2." in text
    )
    assert text.count('class="wide"') == 2
    assert "src=" not in text


def test_a_dead_tsdb_is_one_line(tmp_path: Path) -> None:
    """Exit code 5, and nothing is written."""
    (tmp_path / "tidemark.yml").write_text(CONFIG.format(url=f"http://127.0.0.1:{servers.free_port()}"))
    options = ["--config.file", tmp_path / "tidemark.yml", "--to", tmp_path / "week"]
    command = [sys.executable, "-m", "exporter", "report", "weekly", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 5
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "week.html").exists()
