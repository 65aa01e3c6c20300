"""The rows of the checklist that are about drift, quality, calendars and training, against both real servers.

One run over a back-filled past; each test is one promise of `issue 4` seen on /metrics.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from exporter.demo import servers
from tests.commands.test_run import Running, eventually, exporter
from tests.curves import DAY, daily, noise

pytestmark = pytest.mark.servers

STEP = 600
HOUR = 3600
SILENT = 3 * HOUR
STUCK = 5 * HOUR
LATE = 30 * HOUR
CONFIG = """
tsdb: {{url: "{url}", retries: 0, timeout: 20s}}
scoring:
  {{interval: 2s, step: 10m, offset: OFFSET, outputs: [score, value, quality, drift, confidence]}}
state: {{path: state}}
periods:
  - {{name: business, days: [mon-fri], from: "08:00", to: "18:00"}}
  - {{name: other, days: [mon-fri], to: "08:00"}}
  - {{name: other, days: [mon-fri], from: "18:00"}}
  - {{name: weekend, days: [sat, sun]}}
calendars:
  - {{name: sale, score_as: usual, weekly: [{{}}]}}
  - {{name: works, score_as: no_score, weekly: [{{}}], match: {{service: shop}}}}
  - {{name: never, score_as: sunday, windows: [{{from: 2020-01-01, to: 2020-01-02}}]}}
drift: {{tests: [level, median, spread, ks, wasserstein, psi, jensen_shannon, classifier]}}
groups: [{{name: service, by: [service], queries: [load, errors]}}]
queries:
  - {{name: load, expr: load}}
  - {{name: errors, expr: errors, domain: {{min: 0, max: 1000}}}}
  - {{name: disk, expr: disk, forecast: {{horizons: [6h], limits: [{{name: full, above: 0.95}}]}}}}
"""

Curve = Callable[[np.ndarray], np.ndarray]


def series(now: int) -> dict[tuple[str, str], Curve]:
    """By metric and service: a wave that rose for good, an equal one, and one of each fault."""
    return {
        ("load", "risen"): lambda at: daily(1)(at) + 15 * (at > now - LATE),
        ("load", "steady"): daily(2),
        ("load", "silent"): lambda at: np.where(at <= now - SILENT, daily(3)(at), np.nan),
        ("load", "stuck"): lambda at: np.where(at <= now - STUCK, daily(4)(at), 97.0),
        ("load", "shop"): daily(5),
        ("errors", "risen"): lambda at: 5 + noise(at, 6) + 6 * (at > now - LATE),
        ("errors", "steady"): lambda at: 5 + noise(at, 7),
        ("errors", "seldom"): lambda at: 3.0 * (noise(at, 8) > 1.8),
        ("errors", "always"): lambda at: np.full(len(at), 4.0),
        ("errors", "broken"): lambda at: np.where(at > now - HOUR, -1.0, 5 + noise(at, 9)),
        ("disk", "filling"): lambda at: 0.95 - 0.03 * (3 + (now - at) / DAY) + 0.001 * noise(at, 10),
    }


def samples() -> Iterator[tuple[str, str, list[int], list[float]]]:
    """Metric, service, times and values, three weeks to an hour from now."""
    now = int(time.time()) // STEP * STEP
    times = np.arange(now - 21 * DAY, now + HOUR, STEP)
    for (metric, service), curve in series(now).items():
        values = curve(times).round(3)
        there = np.isfinite(values)
        yield metric, service, times[there].tolist(), values[there].tolist()


def fill_prometheus(directory: Path) -> None:
    """The series as blocks of a Prometheus that will start in `directory`."""
    text = directory / "history.om"
    metric = ""
    with text.open("w") as file:
        for name, service, times, values in samples():
            if name != metric:
                file.write(f"# TYPE {name} gauge\n")
                metric = name
            pairs = zip(values, times, strict=True)
            file.writelines(f'{name}{{service="{service}"}} {value} {at}\n' for value, at in pairs)
        file.write("# EOF\n")
    servers.create_blocks(text, directory / "data")


def json_lines() -> Iterator[bytes]:
    """The series as VictoriaMetrics imports them."""
    for name, service, times, values in samples():
        line = {"metric": {"__name__": name, "service": service}, "values": values}
        yield json.dumps({**line, "timestamps": [1000 * at for at in times]}).encode()


@pytest.fixture(scope="module", params=["prometheus", "victoria_metrics"])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """An exporter that has learnt the past from each of the two servers, and has looked for drift."""
    directory = tmp_path_factory.mktemp(request.param)
    if request.param == "prometheus":
        fill_prometheus(directory)
    with getattr(servers, request.param)(directory) as server:
        if request.param != "prometheus":
            servers.import_json_lines(server.url, list(json_lines()))
            servers.make_searchable(server.url)
        with exporter(directory, server.url, CONFIG.replace("OFFSET", "4h")) as running:
            assert running.shows("drift_last_success_timestamp_seconds{", 60), running.log.read_text()
            catch_up(running, directory, server.url)
            yield running


def catch_up(running: Running, directory: Path, url: str) -> None:
    """Four hours pass for the exporter, by a reload without its offset."""
    (directory / "tidemark.yml").write_text(CONFIG.replace("OFFSET", "0s").format(url=url))
    running.process.send_signal(signal.SIGHUP)
    assert running.shows("drift_group_score{", 60), running.log.read_text()


def found(running: Running, family: str, **labels: str) -> dict[tuple[str, ...], float]:
    """The samples of `family` that have `labels`, by their other labels' values in the order of the names."""
    return {
        tuple(value for name, value in sorted(sample.labels.items()) if name not in labels): sample.value
        for metric in text_string_to_metric_families(running.metrics())
        for sample in metric.samples
        if sample.name == family and labels.items() <= sample.labels.items()
    }


def by_service(running: Running, family: str, query: str) -> dict[str, float]:
    """The samples of a query by their service."""
    return {labels[-1]: value for labels, value in found(running, family, query=query).items()}


def test_the_time_period_is_told(running: Running) -> None:
    """A7: exactly one of the periods holds, and its label names it."""
    assert list(found(running, "anomaly_period_info").values()) == [1]


def test_how_much_of_the_season_is_known_is_told(running: Running) -> None:
    """A8: all but the series in maintenance know the whole day and week, so they fall back on nothing."""
    assert eventually(lambda: len(found(running, "anomaly_model_season_ratio", query="load")) == 2)
    assert min(found(running, "anomaly_model_season_ratio", query="load").values()) > 0.7


def test_calendars_are_told(running: Running) -> None:
    """A9: a calendar that holds is 1, and one that does not is 0."""
    active = found(running, "calendar_active")
    assert active == {("never",): 0, ("sale",): 1, ("works",): 1}


def test_a_service_in_maintenance_has_no_scores_and_says_so(running: Running) -> None:
    """D14: a calendar with no_score pauses the series it is about, and no other."""
    assert found(running, "anomaly_paused") == {("load", "shop"): 1}
    assert "shop" not in by_service(running, "anomaly_score", "load")


def test_the_share_of_strange_points_in_training_is_told(running: Running) -> None:
    """A11: contamination is a small share of the points."""
    (ratio,) = found(running, "anomaly_model_contamination_ratio", query="load").values()
    assert 0 <= ratio < 0.1


def test_constant_and_sparse_series_are_told_apart(running: Running) -> None:
    """A13: the query counts its series by kind."""
    kinds = found(running, "anomaly_input_kind_series", query="errors")
    assert (kinds["constant",], kinds["zero_dominated",]) == (1, 1)


def test_confidence_falls_with_the_input(running: Running) -> None:
    """A14: a series that stood still for most of five hours is trusted a tenth less than its steady twin."""
    confidence = by_service(running, "anomaly_confidence", "load")
    assert confidence["stuck"] < 0.9 * confidence["steady"]


@pytest.mark.parametrize(
    "test", ["combined", "level", "median", "ks", "wasserstein", "psi", "jensen_shannon"]
)
def test_drift_is_seen_by_each_test(running: Running, test: str) -> None:
    """B1, B3: a rise of half a swing is drift of that series by every test of place, and of no twin."""
    scores = found(running, "drift_score", query="load", test=test)
    assert scores["risen",] > 3 > scores["steady",]


def test_services_drift_together(running: Running) -> None:
    """B2: by Mahalanobis distance and by a classifier, the changed service drifts, no other."""
    for test, least in (("mahalanobis", 5), ("classifier", 3)):
        scores = found(running, "drift_group_score", test=test)
        assert scores["service", "risen"] > least, test
        assert scores["service", "steady"] < 3, test


def test_the_moment_and_size_of_a_change_are_told(running: Running) -> None:
    """B7: since 30 hours, by 15."""
    since = by_service(running, "drift_changed_timestamp_seconds", "load")
    assert abs(since["risen"] - (time.time() - LATE)) < 3 * HOUR
    assert by_service(running, "drift_shift", "load")["risen"] == pytest.approx(15, rel=0.15)


def test_the_reference_has_a_hash_and_an_age(running: Running) -> None:
    """B8, B11: it is valid, two days old at most, and was used just now."""
    ((sha256,),) = found(running, "drift_reference_info", query="load")
    assert len(sha256) == 64
    assert found(running, "drift_reference_valid", query="load") == {(): 1}
    (learnt,) = found(running, "drift_reference_timestamp_seconds", query="load").values()
    (used,) = found(running, "drift_last_success_timestamp_seconds", query="load").values()
    assert time.time() - learnt < 2 * DAY
    assert time.time() - used < 2 * HOUR


def test_quality_tells_the_faults_of_a_day(running: Running) -> None:
    """B10, B12, B14: gaps, impossible values and standstill lower the quality of their series alone."""
    load = by_service(running, "anomaly_input_quality_ratio", "load")
    assert load["steady"] == pytest.approx(1, abs=0.02)
    assert load["silent"] < 0.95
    assert load["stuck"] < 0.95
    assert by_service(running, "anomaly_input_quality_ratio", "errors")["broken"] < 0.99


def test_lag_tells_who_is_silent(running: Running) -> None:
    """B13, B16, B17: a silent series has a lag and no score; the share of series that are there says so."""
    lag = by_service(running, "anomaly_input_lag_seconds", "load")
    assert lag["silent"] >= SILENT - STEP > 2 * STEP >= lag["steady"]
    assert "silent" not in by_service(running, "anomaly_score", "load")
    (available,) = found(running, "anomaly_input_available_ratio", query="load").values()
    assert available == pytest.approx(4 / 5)


def test_impossible_values_are_absent_and_counted(running: Running) -> None:
    """B15: a count below 0 has neither value nor score; it is counted, and never read as 0."""
    name = "tidemark_input_invalid_samples_total"
    assert found(running, name, query="errors", reason="below_domain")[()] >= 1
    assert "broken" not in by_service(running, "anomaly_value", "errors")


def test_stuck_series_are_counted(running: Running) -> None:
    """B12: a wave that has stood still for five hours is stuck."""
    assert found(running, "anomaly_input_stuck_series", query="load") == {(): 1}


def test_what_the_past_is_worth_is_told(running: Running) -> None:
    """B18: stationarity, independent hours, and queries of a group that say the same."""
    assert eventually(lambda: bool(found(running, "anomaly_model_stationary_ratio", query="errors")), 60)
    (worth,) = found(running, "anomaly_model_effective_samples", query="errors").values()
    assert worth > 100
    assert eventually(lambda: bool(found(running, "anomaly_group_correlation_max")), 60)
    assert 0 <= found(running, "anomaly_group_correlation_max")["service",] <= 1


def test_planted_faults_are_seen(running: Running) -> None:
    """E20: of load, which never falls to 0, all would be seen at zero; validation says how quiet it was."""
    name = "anomaly_model_synthetic_detection_ratio"
    assert eventually(lambda: bool(found(running, name, query="load")), 60)
    assert found(running, name, query="load", fault="zero") == {(): 1}
    (ratio,) = found(running, "anomaly_model_validation_ratio", query="load").values()
    assert 0 <= ratio <= 1


def test_the_age_of_the_models_is_told(running: Running) -> None:
    """E5: the models have learnt since the begin of their history, three weeks ago."""
    (since,) = found(running, "anomaly_model_trained_timestamp_seconds", query="load").values()
    assert 20 * DAY < time.time() - since < 22 * DAY


def test_the_disk_that_fills_up_is_foretold(running: Running) -> None:
    """G8: a limit three days ahead is told in seconds, and not late."""
    left = found(running, "forecast_seconds_to_limit", query="disk", limit="full")
    assert 2 * DAY < left["filling",] < 3.2 * DAY


def test_once_prints_drift_and_limits(running: Running) -> None:
    """One pass in the terminal ends with what drifts and which limits are near, like the long run."""
    command = [sys.executable, "-m", "exporter", "once", "--config.file", running.log.parent / "tidemark.yml"]
    table = subprocess.run([*command, "--top=3"], capture_output=True, text=True, check=True).stdout
    assert re.search(r"^ +left.*\n *[23]d\w* +disk +service=filling +full$", table, re.MULTILINE)
    document = json.loads(subprocess.run([*command, "--output=json"], capture_output=True, check=True).stdout)
    drifting = {(it["query"], it["labels"]["service"]): it["shift"] for it in document["drift"]}
    assert drifting["load", "risen"] == pytest.approx(15, rel=0.15)
    assert [it["labels"]["horizon"] for it in document["forecasts"]] == ["6h"]


def test_the_drift_report_shows_the_change(running: Running, tmp_path: Path) -> None:
    """B9: one file with the histograms of reference and window, and the same as JSON."""
    options = ["--config.file", running.log.parent / "tidemark.yml", "--to", tmp_path / "drift"]
    subprocess.run([sys.executable, "-m", "exporter", "report", "drift", *options], check=True)
    document = json.loads((tmp_path / "drift.json").read_text())
    load = next(it for it in document["queries"] if it["name"] == "load")
    risen = next(it for it in load["series"] if it["found"]["labels"] == {"service": "risen"})
    shares = risen["histogram"]
    middle = [np.average(shares["edges"][1:], weights=shares[it]) for it in ("reference", "current")]
    assert middle[1] - middle[0] == pytest.approx(15, abs=6)
    page = (tmp_path / "drift.html").read_text()
    assert page.count('class="histogram"') == sum(len(it["series"]) for it in document["queries"])
