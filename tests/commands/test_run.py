"""`tidemark run` as a process of its own against a real TSDB: it waits, scores, stops and goes on."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
from prometheus_client.parser import text_string_to_metric_families

from exporter.demo import servers
from exporter.demo.loopback import get_text
from tests.tsdb.history import SERVICES, History

pytestmark = pytest.mark.servers

CONFIG = """
tsdb: {{url: "{url}", retries: 0, timeout: 5s}}
scoring: {{interval: 2s, step: 1m, offset: 3h, history: 6h, warm_up: 1h}}
state: {{path: state}}
queries:
  - {{name: load, expr: load}}
  - {{name: empty, expr: there_is_no_such_metric}}
"""


@dataclass
class Running:
    """A running exporter."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    def metrics(self) -> str:
        """The text of /metrics, empty while nothing answers."""
        try:
            return get_text(f"{self.url}/metrics")
        except OSError:
            return ""

    def shows(self, line: str, seconds: float = 30) -> bool:
        """Whether a line of /metrics comes to begin with `line`."""
        return eventually(lambda: f"\n{line}" in self.metrics(), seconds)


def eventually(is_so: Callable[[], bool], seconds: float = 30) -> bool:
    """Whether `is_so` becomes true in time."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


@contextmanager
def exporter(directory: Path, tsdb: str, config: str = CONFIG) -> Iterator[Running]:
    """`tidemark run` against `tsdb`, in `directory`; terminated at the end if it still runs."""
    (directory / "tidemark.yml").write_text(config.format(url=tsdb))
    port, log = servers.free_port(), directory / "log"
    options = [f"--config.file={directory / 'tidemark.yml'}", f"--web.listen-address=127.0.0.1:{port}"]
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "exporter", "run", *options], stdout=output, stderr=output
        )
    try:
        yield Running(process, f"http://127.0.0.1:{port}", log)
    finally:
        process.terminate()
        process.wait(30)


def test_a_tsdb_that_is_down_at_first_is_waited_for(tmp_path: Path, history: History) -> None:
    """Without a TSDB the exporter runs and says so; once it is there, scores come by themselves."""
    port = servers.free_port()
    with exporter(tmp_path, f"http://127.0.0.1:{port}") as running:
        assert running.shows("tidemark_tsdb_up 0.0")
        assert running.shows('tidemark_query_success{query="load"} 0.0')
        assert running.shows('tidemark_query_failures_total{query="load",reason="unreachable"}')
        assert get_text(f"{running.url}/-/healthy")
        assert "anomaly_score" not in running.metrics()
        with servers.victoria_metrics(tmp_path / "vm", port) as tsdb:
            servers.import_json_lines(tsdb.url, history.json_lines())
            servers.make_searchable(tsdb.url)
            assert running.shows('anomaly_score{query="load",service="api"}', 90)
            assert running.shows('tidemark_query_success{query="load"} 1.0')
    assert "Traceback" not in running.log.read_text()


def test_every_label_reaches_the_scrape_as_it_is(tmp_path: Path, tsdb_url: str) -> None:
    """Quotes, newlines, markup and JSON in label values go through unchanged, from both servers."""
    with exporter(tmp_path, tsdb_url) as running:
        assert running.shows('anomaly_score{query="load"')
        parsed = text_string_to_metric_families(running.metrics())
        scores = next(family for family in parsed if family.name == "anomaly_score")
        assert {sample.labels["service"] for sample in scores.samples} == set(SERVICES)
        for service in SERVICES:
            label = quote(f"service={service}")
            found = json.loads(get_text(f"{running.url}/api/v1/series?query=load&label={label}&past=true"))
            assert found["labels"] == {"service": service}
            assert {it["source"] for it in found["past"]} == {"expression"}
            assert "The last week" in get_text(f"{running.url}/series?label={label}")


def test_an_expression_without_series_is_no_failure(tmp_path: Path, tsdb_url: str) -> None:
    """A query that returns nothing is successful, with no series in any state."""
    with exporter(tmp_path, tsdb_url) as running:
        assert running.shows('tidemark_query_success{query="empty"} 1.0')
        assert "the expression returns no series" in running.log.read_text()


def test_a_restart_goes_on_from_its_state(tmp_path: Path, victoria_metrics_url: str) -> None:
    """SIGTERM ends with code 0 and saves; the next start loads what was learnt instead of reading history."""
    with exporter(tmp_path, victoria_metrics_url) as running:
        assert running.shows('anomaly_score{query="load"')
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(30) == 0
    assert (tmp_path / "state" / "load.tidemark").exists()
    with exporter(tmp_path, victoria_metrics_url) as running:
        assert running.shows('anomaly_score{query="load"')
        log = running.log.read_text()
    assert 'event="state loaded" query=load' in log
    assert log.count('event="learning from history" query=load') == 1


def test_the_health_check_asks_a_running_exporter(tmp_path: Path, victoria_metrics_url: str) -> None:
    """`tidemark healthcheck` is 0 while the exporter answers, and 1 with a line once it does not."""
    with exporter(tmp_path, victoria_metrics_url) as running:
        assert running.shows("tidemark_build_info")
        assert healthcheck(f"{running.url}/-/ready").returncode == 0
    gone = healthcheck(f"{running.url}/-/healthy")
    assert gone.returncode == 1
    assert len((gone.stdout + gone.stderr).strip().splitlines()) == 1


def healthcheck(url: str) -> subprocess.CompletedProcess[str]:
    """The command that containers run."""
    command = [sys.executable, "-m", "exporter", "healthcheck", "--url", url]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
