"""The shipped rules in a running Prometheus: a person edits a threshold and reloads."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from exporter.demo import servers
from tests.loopback import serving
from tests.rules.promql import RULES

SCORES = "".join(
    f'anomaly_score{{query="{query}",service="checkout"}} 1.5\n' for query in ("request_rate", "latency")
)
EFFECTIVE = 'query_service:anomaly_score_threshold:effective{query="latency",severity="critical"}'
PAGE = 'ALERTS{alertname="AnomalyService",severity="critical",service="checkout"}'

pytestmark = pytest.mark.servers


@contextmanager
def metrics(text: str) -> Iterator[str]:
    """A target on loopback that always shows `text`; yields its host and port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as address:
        yield address


def config(target: str, rules: Path) -> str:
    """A Prometheus that scrapes the target and evaluates the rules every second."""
    job = {"job_name": "tidemark", "honor_labels": True, "static_configs": [{"targets": [target]}]}
    often = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    return yaml.safe_dump({"global": often, "rule_files": [f"{rules}/*.yml"], "scrape_configs": [job]})


def edit(rules: Path, value: str) -> None:
    """Change the one line of thresholds.yml that is the default of critical scores."""
    path = rules / "thresholds.yml"
    line = r"(anomaly:score_threshold:default\n +labels: \{severity: critical\}\n +expr: vector\()[\d.]+"
    text, changed = re.subn(line, rf"\g<1>{value}", path.read_text(encoding="utf-8"))
    assert changed == 1
    path.write_text(text, encoding="utf-8")


def asked(url: str, expr: str) -> list[dict[str, Any]]:
    """What an instant query returns."""
    answer = httpx.get(f"{url}/api/v1/query", params={"query": expr}, trust_env=False)
    return list(answer.raise_for_status().json()["data"]["result"])


def until(ask: Callable[[], list[dict[str, Any]]], seconds: float = 30) -> list[dict[str, Any]]:
    """The first answer that is not empty."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := ask():
            return found
        time.sleep(0.1)
    raise TimeoutError(f"no answer within {seconds} s")


def test_one_edited_line_and_a_reload_change_the_threshold_and_the_alert(tmp_path: Path) -> None:
    """The next evaluation uses the new number: what was no page becomes one, and nothing else was touched."""
    rules = Path(shutil.copytree(RULES, tmp_path / "rules"))
    edit(rules, "2")
    with (
        metrics(SCORES) as target,
        servers.prometheus(tmp_path / "prometheus", config(target, rules)) as prometheus,
    ):
        url = prometheus.url
        until(lambda: asked(url, f"{EFFECTIVE} == 2"))
        until(lambda: asked(url, 'service:anomaly_above:ratio{severity="critical"} == 0'))
        assert asked(url, PAGE) == []
        edit(rules, "1.4")
        httpx.post(f"{url}/-/reload", trust_env=False).raise_for_status()
        until(lambda: asked(url, f"{EFFECTIVE} == 1.4"))
        (page,) = until(lambda: asked(url, PAGE))
    assert page["metric"]["alertstate"] == "pending"
