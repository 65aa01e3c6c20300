"""The shipped rules in a running vmalert over a real VictoriaMetrics."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from exporter.demo import servers
from tests.rules.promql import RULE_FILES

STRANGE: dict[str, float] = {
    "anomaly_score": 3.2,
    "anomaly_value": 12,
    "anomaly_expected": 120,
    "anomaly_lower": 100,
    "anomaly_upper": 150,
}
FRESH = ["-search.latencyOffset=0s"]
STRANGEST = "Strangest series: request_rate has score 3.2: 12 is below the expected 120, 5.4 times the band."

pytestmark = pytest.mark.servers


def history(name: str, value: float, **labels: str) -> bytes:
    """Ten minutes before and after now of one constant series, as VictoriaMetrics imports it."""
    now = int(time.time())
    times = range(now - 600, now + 600, 15)
    series = {"metric": {"__name__": name, **labels}, "values": [value] * len(times)}
    return json.dumps({**series, "timestamps": [1000 * at for at in times]}).encode()


@contextmanager
def vmalert(tsdb: str, log: Path) -> Iterator[str]:
    """A vmalert with all shipped rules, evaluating every second; yields its address."""
    port = servers.free_port()
    options = [f"-rule={path}" for path in RULE_FILES]
    options += [f"-datasource.url={tsdb}", f"-remoteWrite.url={tsdb}", "-remoteWrite.flushInterval=1s"]
    options += [
        "-notifier.url=http://127.0.0.1:9",
        "-evaluationInterval=1s",
        f"-httpListenAddr=127.0.0.1:{port}",
    ]
    with log.open("wb") as output:
        process = subprocess.Popen([str(servers.find("vmalert")), *options], stdout=output, stderr=output)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=15)


def until(ask: Callable[[], list[dict[str, Any]]], seconds: float = 60) -> list[dict[str, Any]]:
    """The first answer that is not empty."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if found := ask():
                return found
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    raise TimeoutError(f"no answer within {seconds} s")


def test_a_service_becomes_pending_with_its_explanation(tmp_path: Path) -> None:
    """vmalert raises the page of a strange service, and its template engine renders the same description."""
    source = {"query": "request_rate", "service": "checkout"}
    with servers.victoria_metrics(tmp_path / "tsdb", extra=FRESH) as tsdb:
        ratio = history("service:anomaly_above:ratio", 1, service="checkout", severity="critical")
        servers.import_json_lines(
            tsdb.url, [ratio, *(history(name, it, **source) for name, it in STRANGE.items())]
        )
        servers.make_searchable(tsdb.url)

        with vmalert(tsdb.url, tmp_path / "vmalert.log") as url:

            def explained() -> list[dict[str, Any]]:
                alerts = httpx.get(f"{url}/api/v1/alerts", trust_env=False).json()["data"]["alerts"] or []
                return [it for it in alerts if it["annotations"]["description"].endswith(STRANGEST)]

            (page,) = until(explained)
    assert page["labels"]["severity"] == "critical"
    assert page["labels"]["priority"] == "P2"
    assert page["annotations"]["summary"].startswith("checkout behaves strangely: up to 100%")


def test_thresholds_are_recorded_in_victoria_metrics(tmp_path: Path) -> None:
    """The chain of recording rules ends in an effective threshold for each query and service."""
    source = {"query": "request_rate", "service": "checkout"}
    with servers.victoria_metrics(tmp_path / "tsdb", extra=FRESH) as tsdb:
        servers.import_json_lines(tsdb.url, [history("anomaly_score", 3.2, **source)])
        servers.make_searchable(tsdb.url)
        expr = 'query_service:anomaly_score_threshold:effective{service="checkout", severity="critical"}'

        def recorded() -> list[dict[str, Any]]:
            answer = httpx.get(
                f"{tsdb.url}/api/v1/query", params={"query": expr, "step": "1m"}, trust_env=False
            )
            return list(answer.json()["data"]["result"])

        with vmalert(tsdb.url, tmp_path / "vmalert.log"):
            (threshold,) = until(recorded)
    assert float(threshold["value"][1]) == 1.2
