"""Drift against real servers: a back-filled series that shifted, beside its twin that did not."""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from exporter.demo import servers
from tests.commands.test_run import Running, exporter
from tests.curves import DAY, daily

STEP = 600
LATE = 30 * 3600
SHIFT = 15.0
CONFIG = """
tsdb: {{url: "{url}", retries: 0, timeout: 10s}}
scoring: {{interval: 2s, step: 10m, offset: 0s, history: 21d}}
state: {{path: state}}
queries:
  - {{name: load, expr: load}}
"""

pytestmark = pytest.mark.servers


def samples() -> Iterator[tuple[str, list[int], list[float]]]:
    """Three weeks of two daily waves with noise; the first has been higher for the last 30 hours."""
    end = int(time.time()) // STEP * STEP
    times = np.arange(end - 21 * DAY, end + 1, STEP)
    shift = SHIFT * (times > end - LATE)
    for service, values in (("changed", daily(1)(times) + shift), ("twin", daily(2)(times))):
        yield service, times.tolist(), values.round(3).tolist()


def blocks(directory: Path) -> None:
    """The series as blocks of a Prometheus that will start in `directory`."""
    text = directory / "history.om"
    with text.open("w") as file:
        file.write("# TYPE load gauge\n")
        for service, times, values in samples():
            pairs = zip(values, times, strict=True)
            file.writelines(f'load{{service="{service}"}} {value} {at}\n' for value, at in pairs)
        file.write("# EOF\n")
    servers.create_blocks(text, directory / "data")


def json_lines() -> Iterator[bytes]:
    """The series as VictoriaMetrics imports them."""
    for service, times, values in samples():
        series = {"metric": {"__name__": "load", "service": service}, "values": values}
        yield json.dumps({**series, "timestamps": [1000 * at for at in times]}).encode()


@pytest.fixture(params=["prometheus", "victoria_metrics"])
def tsdb(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Each of the two servers, with the series back-filled."""
    directory = tmp_path / "tsdb"
    directory.mkdir()
    if request.param == "prometheus":
        blocks(directory)
        with servers.prometheus(directory) as server:
            yield server.url
        return
    with servers.victoria_metrics(directory) as server:
        servers.import_json_lines(server.url, list(json_lines()))
        servers.make_searchable(server.url)
        yield server.url


def found(running: Running, family: str) -> dict[str, float]:
    """Values of a family by their labels, once it is exposed."""
    assert running.shows(family + "{", 90), running.log.read_text()
    pairs = re.findall(rf"^{family}\{{(.*)\}} (\S+)$", running.metrics(), re.MULTILINE)
    return {labels: float(value) for labels, value in pairs}


def test_a_series_that_shifted_drifts_and_its_twin_does_not(tmp_path: Path, tsdb: str) -> None:
    """Severe against normal, with time and size of the shift; after a restart the reference is the same."""
    with exporter(tmp_path, tsdb, CONFIG) as running:
        scores = found(running, "drift_score")
        assert scores['query="load",service="changed",test="combined"'] > 5
        assert scores['query="load",service="twin",test="combined"'] < 3
        assert found(running, "drift_shift") == {
            'query="load",service="changed"': pytest.approx(SHIFT, rel=0.1)
        }
        (since,) = found(running, "drift_changed_timestamp_seconds").values()
        assert abs(since - (time.time() - LATE)) < 3 * 3600
        reference = found(running, "drift_reference_info")
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(30) == 0
    with exporter(tmp_path, tsdb, CONFIG) as running:
        assert found(running, "drift_reference_info") == reference
        assert found(running, "drift_reference_valid") == {'query="load"': 1}
        assert found(running, "drift_score").keys() == scores.keys()
    assert running.log.read_text().count('event="learning from history"') == 1
