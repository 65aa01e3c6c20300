"""Everything the demo needs, started on loopback and ended in reverse order."""

from __future__ import annotations

import json
import queue
import re
import shutil
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal

import orjson

from exporter.assets import assets
from exporter.demo import servers
from exporter.demo.world import SERVICES, World, series

STEP = 30
SCRAPE = "10s"

CONFIG = """\
tsdb: {{url: "{url}"}}
scoring: {{interval: 30s, offset: 15s, history: 14d}}
state: {{path: {state}}}
queries:
  - name: request_rate
    expr: sum by (service) (rate(http_requests_total[2m]))
    domain: {{min: 0}}
  - name: error_ratio
    expr: |
      sum by (service) (rate(http_requests_total{{code=~"5.."}}[2m]))
        / sum by (service) (rate(http_requests_total[2m]))
    direction: up
    minimum_deviation: 0.01
    domain: {{min: 0, max: 1}}
  - name: request_seconds
    expr: |
      sum by (service) (rate(http_request_duration_seconds_sum[2m]))
        / sum by (service) (rate(http_requests_total[2m]))
    direction: up
    minimum_relative_deviation: 0.1
    domain: {{min: 0}}
"""

PROMETHEUS = """\
global: {{scrape_interval: {scrape}, evaluation_interval: {scrape}}}
rule_files: ["{rules}/*.yml"]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ["{alertmanager}"]}}]}}]}}
scrape_configs:
  - job_name: tidemark
    honor_labels: true
    static_configs: [{{targets: ["{exporter}"]}}]
"""

SERVICES_JOB = """\
  - job_name: services
    scrape_interval: {scrape}
    static_configs: [{{targets: ["{world}"]}}]
"""

Tsdb = Literal["victoriametrics", "prometheus"]


@dataclass(frozen=True, slots=True)
class Stage:
    """The running demo: its world, its addresses, and the notifications as they arrive."""

    world: World
    tsdb: str
    prometheus: str
    alertmanager: str
    exporter: str
    services: str
    notifications: queue.SimpleQueue[dict[str, Any]]
    process: subprocess.Popen[bytes]
    log: Path


@contextmanager
def stage(directory: Path, tsdb: Tsdb, tell: Callable[[str], None]) -> Iterator[Stage]:
    """Start it all below `directory`; ServerError says what could not be started and why."""
    with ExitStack() as stack:
        world, inbox = World(now=time.time()), queue.SimpleQueue[dict[str, Any]]()
        services = stack.enter_context(_http(lambda _: world.scrape(time.time())))
        webhook = stack.enter_context(_http(lambda body: _taken(inbox, body)))
        alertmanager = stack.enter_context(
            servers.alertmanager(directory / "alertmanager", _alertmanager_config(directory, webhook))
        )
        tell("writing three weeks of history for " + ", ".join(it.name for it in SERVICES))
        port = servers.free_port()
        scraped = PROMETHEUS.format(
            scrape=SCRAPE,
            rules=assets("rules"),
            alertmanager=_host(alertmanager.url),
            exporter=f"127.0.0.1:{port}",
        )
        job = SERVICES_JOB.format(scrape=SCRAPE, world=_host(services))
        if tsdb == "victoriametrics":
            source = stack.enter_context(_victoria_metrics(directory / "tsdb", world, services, job))
            prometheus = stack.enter_context(servers.prometheus(directory / "prometheus", scraped))
        else:
            _backfill_prometheus(directory / "prometheus", world, services)
            source = prometheus = stack.enter_context(
                servers.prometheus(directory / "prometheus", scraped + job)
            )
        tell(f"starting the exporter against {source.name}")
        process, log = stack.enter_context(_exporter(directory, source.url, port))
        yield Stage(
            world,
            source.url,
            prometheus.url,
            alertmanager.url,
            f"http://127.0.0.1:{port}",
            services,
            inbox,
            process,
            log,
        )


@contextmanager
def _exporter(directory: Path, url: str, port: int) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    config, log = directory / "tidemark.yml", directory / "tidemark.log"
    config.write_text(CONFIG.format(url=url, state=directory / "state"))
    options = [f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "exporter", "run", *options],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process, log
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def _victoria_metrics(directory: Path, world: World, services: str, job: str) -> Iterator[servers.Server]:
    directory.mkdir(parents=True)
    scrape = directory / "scrape.yml"
    scrape.write_text("scrape_configs:\n" + job)
    with servers.victoria_metrics(directory, extra=[f"-promscrape.config={scrape}"]) as server:
        servers.import_json_lines(server.url, _json_lines(world, services), batch=6)
        servers.make_searchable(server.url)
        yield server


def _json_lines(world: World, services: str) -> Iterator[bytes]:
    times, counters = world.history()
    stamps = (times * 1000).tolist()
    for service, rows in zip(SERVICES, counters, strict=True):
        for (name, labels), values in zip(series(service), rows, strict=True):
            pairs = dict(re.findall(r'(\w+)="([^"]*)"', labels))
            metric = {"__name__": name, **pairs, "job": "services", "instance": _host(services)}
            yield orjson.dumps({"metric": metric, "values": values.tolist(), "timestamps": stamps})


def _backfill_prometheus(directory: Path, world: World, services: str) -> None:
    directory.mkdir(parents=True)
    path = directory / "history.om"
    with path.open("w") as file:
        file.writelines(_openmetrics(world, services))
    servers.create_blocks(path, directory / "data")
    path.unlink()


def _openmetrics(world: World, services: str) -> Iterator[str]:
    times, counters = world.history()
    families: dict[str, list[tuple[str, Any]]] = {}
    for service, rows in zip(SERVICES, counters, strict=True):
        for (name, labels), values in zip(series(service), rows, strict=True):
            families.setdefault(name, []).append((labels, values))
    for name, members in families.items():
        yield f"# TYPE {name.removesuffix('_total')} {'counter' if name.endswith('_total') else 'unknown'}\n"
        for labels, values in members:
            start = f'{name}{{{labels},job="services",instance="{_host(services)}"}}'
            stamped = zip(times.tolist(), values.tolist(), strict=True)
            yield "".join(f"{start} {value!r} {time}\n" for time, value in stamped)
    yield "# EOF\n"


def _alertmanager_config(directory: Path, webhook: str) -> Path:
    """The shipped tree, with the webhook of the demo as receiver and with shorter waits."""
    copy = directory / "alertmanager-config"
    shutil.copytree(assets("alertmanager"), copy)
    path = copy / "alertmanager.yml"
    text = re.sub(r"http://127\.0\.0\.1:10064", webhook, path.read_text())
    text = re.sub(r"group_wait: \S+", "group_wait: 2s", text)
    path.write_text(re.sub(r"group_interval: \S+", "group_interval: 10s", text))
    return path


@contextmanager
def _http(answer: Callable[[bytes], bytes]) -> Iterator[str]:
    """A server on a free loopback port that answers every request with `answer(body)`; yields its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            reply = answer(body)
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        do_GET = do_POST  # noqa: N815 - the name that http.server calls

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing: the terminal belongs to the story."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _taken(inbox: queue.SimpleQueue[dict[str, Any]], body: bytes) -> bytes:
    inbox.put(json.loads(body))
    return b"ok"


def get_json(url: str) -> Any:
    """The JSON document at `url` on this machine; OSError when it does not answer."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=10) as response:
        return json.load(response)


def _host(url: str) -> str:
    return url.removeprefix("http://")
