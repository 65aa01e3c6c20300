"""Everything the demo needs, started on loopback and ended in reverse order."""

from __future__ import annotations

import dataclasses
import json
import queue
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from exporter.assets.shipped import shipped
from exporter.demo import history, servers
from exporter.demo.loopback import host_of, serving
from exporter.demo.setting import INCIDENT, Setting
from exporter.demo.world import SERVICES, World

SCRAPE = "10s"

CONFIG = """\
tsdb: {{url: "{url}"}}
scoring: {{interval: 30s, offset: 15s, history: 10d}}
state: {{path: {state}}}
queries:
  - name: request_rate
    signal: traffic
    expr: sum by (service) (rate(http_requests_total[1m]))
    domain: {{min: 0}}
  - name: error_ratio
    signal: errors
    expr: |
      sum by (service) (rate(http_requests_total{{code=~"5.."}}[1m]))
        / sum by (service) (rate(http_requests_total[1m]))
    direction: up
    minimum_deviation: 0.01
    domain: {{min: 0, max: 1}}
  - name: request_seconds
    signal: latency
    expr: |
      sum by (service) (rate(http_request_duration_seconds_sum[1m]))
        / sum by (service) (rate(http_requests_total[1m]))
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
def stage(
    directory: Path, tsdb: Tsdb, tell: Callable[[str], None], setting: Setting = INCIDENT
) -> Iterator[Stage]:
    """Start it all below `directory`; ServerError says what could not be started and why."""
    with ExitStack() as stack:
        world, inbox = _world(setting, time.time()), queue.SimpleQueue[dict[str, Any]]()
        services = host_of(stack.enter_context(serving(lambda _: world.scrape(time.time()))))
        webhook = stack.enter_context(serving(lambda body: _taken(inbox, body)))
        tell("starting Alertmanager")
        alertmanager = stack.enter_context(
            servers.alertmanager(
                directory / "alertmanager", _alertmanager_config(directory, webhook, setting)
            )
        )
        tell("writing three weeks of history for " + ", ".join(it.name for it in SERVICES))
        port = servers.free_port()
        if setting.drift_for:
            tell(f"drift alerts need {setting.drift_for} in this copy of the rules, not an hour as shipped")
        scrape = _prometheus_config(alertmanager.url, port, rules_for(directory, setting))
        job = SERVICES_JOB.format(scrape=SCRAPE, world=services)
        if tsdb == "victoriametrics":
            source = stack.enter_context(_victoria_metrics(directory / "tsdb", job))
            history.into_victoria_metrics(source.url, world, services)
            prometheus = stack.enter_context(servers.prometheus(directory / "prometheus", scrape))
        else:
            history.into_prometheus(directory / "prometheus", world, services)
            prometheus = stack.enter_context(servers.prometheus(directory / "prometheus", scrape + job))
            source = prometheus
        tell(f"starting the exporter against {source.name}")
        process, log = stack.enter_context(_exporter(directory, source.url, port, setting))
        urls = (
            source.url,
            prometheus.url,
            alertmanager.url,
            f"http://127.0.0.1:{port}",
            f"http://{services}",
        )
        yield Stage(world, *urls, inbox, process, log)


def _world(setting: Setting, now: float) -> World:
    planted = [dataclasses.replace(it, start=now + it.start, end=now + it.end) for it in setting.planted]
    return World(now=now, incidents=planted)


def rules_for(directory: Path, setting: Setting) -> Path:
    """The shipped rules, or a copy in which drift need not last as long."""
    if not setting.drift_for:
        return shipped("rules")
    copy = Path(shutil.copytree(shipped("rules"), directory / "rules"))
    drift = (copy / "drift.yml").read_text()
    (copy / "drift.yml").write_text(drift.replace("for: 1h", f"for: {setting.drift_for}"))
    return copy


def _prometheus_config(alertmanager: str, port: int, rules: Path) -> str:
    return PROMETHEUS.format(
        scrape=SCRAPE,
        rules=rules,
        alertmanager=host_of(alertmanager),
        exporter=f"127.0.0.1:{port}",
    )


def configuration(url: str, state: Path, setting: Setting) -> str:
    """The text of `tidemark.yml` for the TSDB at `url`."""
    return CONFIG.format(url=url, state=state) + setting.queries


@contextmanager
def _victoria_metrics(directory: Path, job: str) -> Iterator[servers.Server]:
    """A VictoriaMetrics that scrapes the services itself."""
    directory.mkdir(parents=True)
    scrape = directory / "scrape.yml"
    scrape.write_text("scrape_configs:\n" + job)
    with servers.victoria_metrics(directory, extra=[f"-promscrape.config={scrape}"]) as server:
        yield server


@contextmanager
def _exporter(
    directory: Path, url: str, port: int, setting: Setting
) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    config, log = directory / "tidemark.yml", directory / "tidemark.log"
    config.write_text(configuration(url, directory / "state", setting))
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


def _alertmanager_config(directory: Path, webhook: str, setting: Setting) -> Path:
    """The shipped tree, with the webhook of the demo as receiver and, if need be, with shorter waits."""
    copy = directory / "alertmanager-config"
    shutil.copytree(shipped("alertmanager"), copy)
    path = copy / "alertmanager.yml"
    text = re.sub(r"http://127\.0\.0\.1:10064", webhook, path.read_text())
    if not setting.patient:
        text = re.sub(r"group_wait: \S+", "group_wait: 2s", text)
        text = re.sub(r"group_interval: \S+", "group_interval: 10s", text)
    path.write_text(text)
    return path


def _taken(inbox: queue.SimpleQueue[dict[str, Any]], body: bytes) -> bytes:
    inbox.put(json.loads(body))
    return b"ok"
