"""The packs over real exporters: their metrics are there, their queries have series, their rules work."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from exporter.demo import servers
from exporter.packs import library
from exporter.tsdb.client import Client
from exporter.tsdb.settings import Settings
from tests.packs.exporters import all_exporters
from tests.rules.promql import RULES, groups

pytestmark = pytest.mark.servers

PACKS: dict[str, dict[str, str]] = {
    "blackbox": {},
    "http-red": {
        "requests": "prometheus_http_requests_total",
        "duration": "prometheus_http_request_duration_seconds",
        "service": "job",
    },
    "node": {},
    "postgres": {},
    "prometheus": {},
    "redis": {},
}
"""The packs whose source can be started here, with the parameters that fit it."""
ABSENT = {
    "pg_replication_lag_seconds": "exporter 0.11 needs a query of its own for it",
    "instance:postgres_replication_lag:seconds": "so this is absent, too",
    "instance_mountpoint:node_disk_time_left:seconds": "needs hours",
    "service:http_requests_usual:rate": "needs a day",
}
"""What is not there, and why."""
EMPTY = {"postgres_replication_lag": "as above"}
SECONDS = 15.0


def configuration(addresses: dict[str, str], own: str) -> str:
    """A Prometheus that scrapes them all, and itself, every second, with the rules of all packs."""
    jobs = {name: addresses[name] for name in ("node", "redis", "postgres")} | {"prometheus": own}
    probes = {
        "job_name": "blackbox",
        "metrics_path": "/probe",
        "params": {"module": ["web"]},
        "static_configs": [{"targets": [f"https://{addresses['tls']}"]}],
        "relabel_configs": [
            {"source_labels": ["__address__"], "target_label": "__param_target"},
            {"source_labels": ["__address__"], "target_label": "instance"},
            {"target_label": "__address__", "replacement": addresses["blackbox"]},
        ],
    }
    scraped = [{"job_name": job, "static_configs": [{"targets": [it]}]} for job, it in jobs.items()]
    document = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(path) for path in sorted((RULES / "packs").glob("*.yml"))],
        "scrape_configs": [*scraped, probes],
    }
    return yaml.safe_dump(document)


class Source:
    """A real Prometheus that has scraped real exporters, and a Redis that can be given work."""

    def __init__(self, url: str, redis: str, client: Client) -> None:
        self.url, self._redis, self._client = url, redis, client

    def series(self, expr: str) -> int:
        """How many series `expr` has, once it has any or it is too late."""
        deadline = time.monotonic() + SECONDS
        while not (found := len(self._client.instant(expr, time.time()).keys)):
            if time.monotonic() > deadline:
                break
            self._work()
            time.sleep(0.5)
        return found

    def _work(self) -> None:
        host, _, port = self._redis.partition(":")
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            connection.sendall(b"SET here 1\r\nGET here\r\nGET elsewhere\r\n")
            connection.recv(100)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Source]:
    """The exporters, and a Prometheus that scrapes them."""
    directory = tmp_path_factory.mktemp("exporters")
    port = servers.free_port()
    with (
        all_exporters(directory) as addresses,
        servers.prometheus(directory, configuration(addresses, f"127.0.0.1:{port}"), port) as server,
        Client(Settings(url=server.url)) as client,
    ):
        yield Source(server.url, addresses["redis-server"], client)


@pytest.mark.parametrize("name", PACKS)
def test_every_query_has_series(source: Source, name: str) -> None:
    """Each expression, as the pack writes it, returns something of a source that has just been started."""
    queries = {it["name"]: it["expr"] for it in library.pack(name).queries(PACKS[name])}
    assert {
        query for query, expr in queries.items() if query not in EMPTY and not source.series(expr)
    } == set()


@pytest.mark.parametrize("name", PACKS)
def test_every_metric_is_exposed(source: Source, name: str) -> None:
    """What queries, rules and runbooks of the pack read is there by that name, but for what cannot be."""
    pack = library.pack(name)
    wanted = {*pack.metrics(PACKS[name]), *pack.further(PACKS[name])} - set(ABSENT)
    assert all(source.series(metric) for metric in wanted)


@pytest.mark.parametrize("name", sorted(set(PACKS) - {"http-red"}))
def test_the_rules_record_their_values(source: Source, name: str) -> None:
    """Every recorded series of the pack has a value, so its alerts have something to compare."""
    rules = [rule for group in groups(RULES / "packs" / f"{name}.yml") for rule in group["rules"]]
    recorded = {rule["record"] for rule in rules if "record" in rule} - set(ABSENT)
    assert {it for it in recorded if not source.series(it)} == set()


def test_no_rule_fails(source: Source) -> None:
    """Prometheus evaluates all rules of all packs without an error."""
    assert source.series("prometheus_rule_evaluation_failures_total")
    assert source.series("sum(prometheus_rule_evaluation_failures_total) == 0")


def test_check_names_the_packs_that_could_be_used(source: Source, tmp_path: Path) -> None:
    """Those that are not configured and find all their metrics are told; those that do not are not."""
    path = tmp_path / "tidemark.yml"
    state = {"path": str(tmp_path / "state")}
    shared = {"tsdb": {"url": source.url}, "scoring": {"offset": "1s"}, "state": state}
    path.write_text(yaml.safe_dump({**shared, "packs": ["node"]}))
    assert all(source.series(metric) for name in PACKS for metric in library.pack(name).metrics(PACKS[name]))
    command = [sys.executable, "-m", "exporter", "check", "--config.file", str(path), "--output", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    told = {it["what"]: it["message"] for it in json.loads(done.stdout)["findings"]}
    could = {
        what for what, message in told.items() if message == "the TSDB has its metrics; add it to `packs`"
    }
    assert could == {f"pack {name}" for name in set(PACKS) - {"node", "http-red"}}
    assert "does NOT have" not in told["pack node"]
