"""A forecast from a real TSDB to the text that Prometheus scrapes."""

from __future__ import annotations

import json
import re
import subprocess
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from exporter.config.query import Query
from exporter.demo import servers
from exporter.metrics.exposition import Snapshot
from exporter.metrics.telemetry import Telemetry
from exporter.query.scorer import Scorer
from exporter.query.surroundings import Surroundings
from exporter.tsdb.client import Client
from exporter.tsdb.settings import Settings

pytestmark = pytest.mark.servers

STEP, DAY = 1_800, 86_400
END = int(time.time()) // STEP * STEP - DAY
QUERY = {
    "name": "disk_used",
    "expr": "disk_used_ratio",
    "step": "30m",
    "offset": "0s",
    "history": "14d",
    "domain": {"min": 0, "max": 1},
    "forecast": {"horizons": ["6h", "1d"], "limits": [{"name": "full", "above": 0.95}]},
}


def lines() -> Iterator[bytes]:
    """Two disks: one has filled up by 3 % a day and has 4 days left, one stays as it is."""
    times = np.arange(END - 14 * DAY, END + 1, STEP)
    noise = np.random.default_rng(1).normal(0, 0.002, (2, len(times)))
    filling = 0.95 - 0.03 * (4 + (END - times) / DAY) + noise[0]
    for name, values in (("db", filling), ("cart", 0.4 + noise[1])):
        series = {"metric": {"__name__": "disk_used_ratio", "service": name, "horizon": "own"}}
        yield json.dumps(series | {"timestamps": (times * 1000).tolist(), "values": values.tolist()}).encode()


@pytest.fixture(scope="module")
def exposed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What /metrics says of the disks in a real VictoriaMetrics, and of their query."""
    with servers.victoria_metrics(tmp_path_factory.mktemp("victoria-metrics")) as server:
        servers.import_json_lines(server.url, lines())
        servers.make_searchable(server.url)
        telemetry = Telemetry()
        with Client(Settings(server.url)) as client:
            scorer = Scorer(
                Query.model_validate(QUERY),
                Surroundings(client, telemetry, "UTC", 60, threading.Event()),
            )
            scorer.advance(END)
        assert scorer.scores is not None
        return Snapshot.of(END, [scorer.scores]).text.decode() + telemetry.render().decode()


def found(text: str, family: str, **labels: str) -> dict[str, float]:
    """The value of `family` by service, of the samples that have `labels`."""
    return {
        sample.labels["service"]: sample.value
        for metric in text_string_to_metric_families(text)
        for sample in metric.samples
        if sample.name == family and labels.items() <= sample.labels.items()
    }


def test_the_disk_that_fills_up_has_a_time_left(exposed: str) -> None:
    """Four days are left, told by the band rather early than late; the disk that stays has no such time."""
    left = found(exposed, "forecast_seconds_to_limit", limit="full")
    assert set(left) == {"db"}
    assert 3 * DAY < left["db"] < 4.1 * DAY


def test_the_value_ahead_is_where_it_goes(exposed: str) -> None:
    """In a day the one disk has three per cent more and the other what it has, both within their bands."""
    value, lower, upper = (
        found(exposed, f"forecast_{name}", horizon="1d") for name in ("value", "lower", "upper")
    )
    assert value == pytest.approx({"db": 0.86, "cart": 0.4}, abs=0.005)
    assert all(lower[service] < value[service] < upper[service] < 1 for service in value)


def test_a_label_of_the_source_makes_way(exposed: str) -> None:
    """A source label `horizon` is kept as `exported_horizon`."""
    assert re.search(r'forecast_value\{[^}]*exported_horizon="own"[^}]*horizon="6h"', exposed)


def test_the_error_of_past_forecasts_is_told(exposed: str) -> None:
    """One figure per horizon for the query, below 1 for what grows as steadily as this."""
    pattern = r'^forecast_error_ratio\{horizon="(6h|1d)",query="disk_used"\} (0\.\d+)$'
    assert {horizon for horizon, _ in re.findall(pattern, exposed, re.MULTILINE)} == {"6h", "1d"}


def test_the_text_is_clean(exposed: str) -> None:
    """promtool has nothing against the names and help texts."""
    command = [str(servers.find("promtool")), "check", "metrics"]
    done = subprocess.run(command, input=exposed, text=True, capture_output=True, check=False)
    assert done.stderr == ""
