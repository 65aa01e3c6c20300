"""`tidemark run`: score on every interval in one thread, answer HTTP in the main one, listen to signals."""

from __future__ import annotations

import gzip
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click
import structlog

from exporter.commands import exits, wiring
from exporter.config.file import LoadedConfig, load
from exporter.config.problems import ConfigError
from exporter.cycle.cycle import Cycle
from exporter.metrics.telemetry import Telemetry
from exporter.shown.matches import matches
from exporter.shown.overview import links, overview
from exporter.shown.past import Past
from exporter.shown.portrait import Picture, Portrait
from exporter.shown.portraits import portrait
from exporter.shown.status import Links, Matches, Status
from exporter.store import Store
from exporter.tsdb.client import Client
from exporter.web.app import create_app
from exporter.web.config import WebConfigError, WebConfigFile
from exporter.web.listen import CannotListen, listen, urls
from exporter.web.server import serve

_log = structlog.get_logger("tidemark")


@dataclass(frozen=True, slots=True)
class WebFlags:
    """The `--web.*` flags as given; None or empty where the configuration decides."""

    listen: Sequence[str] = ()
    config_file: Path | None = None
    lifecycle: bool | None = None
    external_url: str | None = None


@dataclass
class Exporter:
    """The running exporter: its configuration file, its cycle, and what HTTP shows of them."""

    path: Path
    loaded: LoadedConfig
    telemetry: Telemetry
    cycle: Cycle
    source: Client
    past: Past
    reload_error: str = ""
    loaded_at: float = field(default_factory=time.time)

    def metrics(self, gzipped: bool) -> Sequence[bytes]:
        """The latest snapshot and the metrics about itself, as text or as two gzip members."""
        snapshot, own = self.cycle.snapshot, self.telemetry.render()
        return (snapshot.gzipped, gzip.compress(own, 1, mtime=0)) if gzipped else (snapshot.text, own)

    def ready(self) -> tuple[bool, str]:
        """Whether a first cycle has published."""
        return self.cycle.ready()

    def status(self) -> Status:
        """What the landing page shows."""
        return overview(self.cycle, self.loaded, self._links(), self.loaded_at, self.reload_error)

    def portrait(self, query: str, labels: Mapping[str, str]) -> Portrait | None:
        """What the page of a series shows; None where there is no such series."""
        return portrait(self.cycle, self._links(), query, labels)

    def matches(self, query: str, labels: Mapping[str, str]) -> Matches:
        """The series that have these labels."""
        return matches(self.cycle, self._links(), query, labels)

    def pictures(self, of: Portrait) -> Sequence[Picture]:
        """The last day and week of a series, from the TSDB if it answers in time."""
        return self.past.pictures(of)

    def _links(self) -> Links:
        return links(self.loaded, self.source.known_flavour)

    def reload(self) -> tuple[bool, str]:
        """Read the file again; a bad one changes nothing."""
        try:
            loaded = load(self.path)
            source = wiring.client(loaded, self.telemetry, self.cycle.stop)
            times = wiring.times(loaded)
            past = Past(wiring.reader(loaded, self.telemetry, self.cycle.stop))
        except ConfigError as error:
            self.reload_error = error.lines()[0]
            for line in error.lines():
                _log.error("configuration not reloaded", error=line)
            self.telemetry.set("config_last_reload_successful", 0)
            self.telemetry.count("events_total", event="reload", result="failure")
            return False, "configuration not reloaded: " + "; ".join(error.lines())
        self.loaded, self.loaded_at, self.reload_error = loaded, time.time(), ""
        gone, self.past, self.source = self.past, past, source
        self.cycle.reload(loaded.config, source, times)
        self.tell_config()
        self.telemetry.count("events_total", event="reload", result="success")
        gone.close()
        _log.info("configuration reloaded", sha256=loaded.sha256[:12])
        return True, "configuration reloaded"

    def tell_config(self) -> None:
        """Export which configuration is in use, and since when."""
        self.telemetry.replace("config_info", sha256=self.loaded.sha256)
        self.telemetry.set("config_last_reload_successful", 1)
        self.telemetry.set("config_last_reload_success_timestamp_seconds", self.loaded_at)


def run(path: Path, flags: WebFlags) -> int:
    """Serve until a signal says stop; the exit code."""
    loaded = load(path)
    web = loaded.config.web
    telemetry, stop = Telemetry(), threading.Event()
    source, times = wiring.client(loaded, telemetry, stop), wiring.times(loaded)
    try:
        config_file = flags.config_file or (web.config_file and loaded.resolve(web.config_file))
        web_config = WebConfigFile(config_file) if config_file else None
        sockets = listen(flags.listen or web.listen_addresses)
    except (CannotListen, WebConfigError) as error:
        click.echo(f"tidemark: {error}", err=True)
        return exits.LISTEN
    store = Store(loaded.resolve(loaded.config.state.path))
    cycle = Cycle(loaded.config, source, telemetry, store, stop, times=times)
    past = Past(wiring.reader(loaded, telemetry, stop))
    exporter = Exporter(path, loaded, telemetry, cycle, source, past)
    exporter.tell_config()
    _listen_to_signals(exporter)
    app = create_app(
        exporter,
        reload=exporter.reload,
        leave=cycle.end,
        lifecycle_enabled=web.enable_lifecycle if flags.lifecycle is None else flags.lifecycle,
        external_url=flags.external_url or web.external_url or "",
        web_config=web_config,
    )
    _log.info("listening", urls=urls(sockets, "https" if web_config and web_config.context() else "http"))
    thread = threading.Thread(target=cycle.run, name="cycle")
    thread.start()
    try:
        serve(app, sockets, stop, web_config)
    finally:
        cycle.end()
        thread.join()
    _log.info("stopped", well=cycle.ended_well)
    return exits.OK if cycle.ended_well else exits.FAILED


def _listen_to_signals(exporter: Exporter) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: exporter.cycle.end())
    # A handler runs between two bytecodes of the main thread, where a slow reload would hold up HTTP
    signal.signal(signal.SIGHUP, lambda *_: threading.Thread(target=exporter.reload).start())
