"""The pack `ml-service` over a real TSDB: its metrics are found, and every query of it is scored."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import yaml

from exporter.commands import exits
from exporter.demo import servers
from exporter.packs import library

pytestmark = pytest.mark.servers

MINUTE, DAY = 60, 86_400
SERVICES = {"fraud": 0.1, "churn": 0.4}
"""Model service -> mean share of positive predictions."""
BUCKETS = np.array([0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
STATS = {"p10", "p50", "p90"}


def lines(probabilities: bool) -> Iterator[bytes]:
    """Five days of two model services with a daily wave of traffic, until ten minutes from now."""
    now = int(time.time()) // MINUTE * MINUTE
    times = np.arange(now - 5 * DAY, now + 10 * MINUTE, MINUTE)
    chance = np.random.default_rng(1)
    for service, positive in SERVICES.items():
        per_minute = 20 + 8 * np.sin(times * 2 * np.pi / DAY) + chance.normal(0, 1, len(times))
        share = np.clip(positive + chance.normal(0, 0.02, len(times)), 0, 1)
        for name, counts in (("0", per_minute * (1 - share)), ("1", per_minute * share)):
            labels = {"__name__": "model_predictions_total", "service": service, "class": name}
            yield line(labels, times, counts)
        if probabilities:
            yield from histogram(service, times, per_minute, positive)


def histogram(service: str, times: np.ndarray, counts: np.ndarray, mean: float) -> Iterator[bytes]:
    """Probabilities spread evenly up to twice their mean, in cumulative buckets."""
    labels = {"service": service}
    name = "model_prediction_probability"
    for bound in BUCKETS:
        below = counts * min(1.0, bound / (2 * mean))
        yield line({"__name__": f"{name}_bucket", "le": f"{bound:g}", **labels}, times, below)
    yield line({"__name__": f"{name}_bucket", "le": "+Inf", **labels}, times, counts)
    yield line({"__name__": f"{name}_count", **labels}, times, counts)


def line(labels: dict[str, str], times: np.ndarray, counts: np.ndarray) -> bytes:
    """One counter that grows by `counts`, as VictoriaMetrics imports it."""
    values = {"timestamps": (times * 1000).tolist(), "values": np.cumsum(counts).round(3).tolist()}
    return json.dumps({"metric": labels, **values}).encode()


def tidemark(directory: Path, url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command with the pack as its only queries."""
    path = directory / "tidemark.yml"
    scoring = {"history": "4d", "warm_up": "1d"}
    content = {"tsdb": {"url": url}, "packs": ["ml-service"], "scoring": scoring}
    path.write_text(yaml.safe_dump({**content, "state": {"path": str(directory / "state")}}))
    command = [sys.executable, "-m", "exporter", *arguments, "--config.file", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=180)


@pytest.fixture(scope="module")
def tsdb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real VictoriaMetrics with both model services."""
    with servers.victoria_metrics(tmp_path_factory.mktemp("victoria-metrics")) as server:
        servers.import_json_lines(server.url, lines(probabilities=True))
        servers.make_searchable(server.url)
        yield server.url


def test_check_finds_what_the_pack_reads(tsdb: str, tmp_path: Path) -> None:
    """Every query returns its series, and all metrics of its queries are there."""
    done = tidemark(tmp_path, tsdb, "check")
    assert (done.returncode, done.stderr) == (exits.OK, "")
    assert "NO series" not in done.stdout
    metrics = ", ".join(library.pack("ml-service").metrics({}))
    others = ", ".join(library.pack("ml-service").further({}))
    told = f"ok    pack ml-service: the TSDB has {metrics}; it does NOT have {others}\n"
    assert told in done.stdout


def test_check_names_what_is_missing(tmp_path: Path) -> None:
    """Without a histogram the pack is told to have the counter alone."""
    with servers.victoria_metrics(tmp_path / "victoria-metrics") as server:
        servers.import_json_lines(server.url, lines(probabilities=False))
        servers.make_searchable(server.url)
        done = tidemark(tmp_path, server.url, "check")
    pack = library.pack("ml-service")
    there, *missing = pack.metrics({}) + pack.further({})
    assert done.returncode == exits.OK
    assert f"the TSDB has {there}; it does NOT have {', '.join(missing)}\n" in done.stdout


def test_every_query_of_the_pack_is_scored(tsdb: str, tmp_path: Path) -> None:
    """One start from history gives a score to each service, and to each quantile of its probability."""
    done = tidemark(tmp_path, tsdb, "once", "--output", "json")
    assert done.returncode == exits.OK, done.stderr
    document = json.loads(done.stdout)
    found = {
        (it["query"], it["labels"]["service"], it["labels"].get("stat"))
        for it in document["series"]
        if it["score"] is not None
    }
    names = [it["name"] for it in library.pack("ml-service").entries]
    assert document["failures"] == {}
    assert found == {
        (name, service, stat)
        for name in names
        for service in SERVICES
        for stat in (STATS if "probability" in name else {None})
    }
    values = {(it["query"], it["labels"]["service"]): it["value"] for it in document["series"]}
    for name in ("1h", "6h", "24h"):
        assert values[f"model_positive_ratio_{name}", "fraud"] == pytest.approx(0.1, abs=0.01)
        assert values[f"model_class_entropy_{name}", "fraud"] == pytest.approx(0.469, abs=0.03)
        assert 600 < values[f"model_predictions_{name}", "fraud"] < 1_800
