"""`tidemark report`: what drifted, or how the week was, as one HTML file and the same as JSON."""

from __future__ import annotations

import dataclasses
import threading
import time
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from exporter.commands import exits, wiring
from exporter.commands.once import watched_pass
from exporter.config.file import load
from exporter.cycle.cycle import Cycle
from exporter.metrics.telemetry import Telemetry
from exporter.reports import drift as drifts
from exporter.reports import page, weekly
from exporter.store import Store
from exporter.tsdb.client import Client
from exporter.tsdb.errors import TsdbError


def drift(path: Path, to: Path) -> int:
    """One pass over all queries, then `to`.html and `to`.json; returns the exit code."""
    loaded, telemetry, stop = load(path), Telemetry(), threading.Event()
    store = Store(loaded.resolve(loaded.config.state.path))
    source, times = wiring.client(loaded, telemetry, stop), wiring.times(loaded)
    cycle = Cycle(loaded.config, source, telemetry, store, stop, times=times)
    with Console(stderr=True) as messages:
        watched_pass(cycle, messages)
    report = drifts.gather(cycle)
    cycle.end()
    return _written(to, page.drift_page(report), report) or (exits.FAILED if cycle.failures else exits.OK)


def week(path: Path, to: Path, end: float | None, url: str | None) -> int:
    """Read the week up to Unix second `end` (None: now) from the TSDB, or the one at `url`."""
    loaded, stop = load(path), threading.Event()
    client = wiring.client(loaded, Telemetry(), stop)
    if url:
        client.close()
        client = Client(dataclasses.replace(wiring.tsdb_settings(loaded), url=url, tenant_path=""))
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with client, Console(stderr=True) as messages:
        try:
            with Progress(*columns, console=messages, transient=True) as progress:
                task = progress.add_task("", total=1.0)
                report = weekly.gather(
                    client,
                    int(end or time.time()),
                    lambda words, share: progress.update(task, description=words, completed=share),
                )
        except TsdbError as error:
            messages.print(str(error), markup=False, style="red")
            return exits.TSDB
    return _written(to, page.weekly_page(report), report)


def _written(to: Path, html: bytes, report: Any) -> int:
    """Write both files whole or not at all, and say where they are."""
    document = orjson.dumps(dataclasses.asdict(report), option=orjson.OPT_INDENT_2)
    for suffix, content in ((".html", html), (".json", document)):
        target = to.with_name(to.name + suffix)
        part = target.with_name(target.name + ".part")
        try:
            part.write_bytes(content)
            part.replace(target)
        except OSError as error:
            Console(stderr=True).print(f"{target} cannot be written: {error.strerror}", markup=False)
            return exits.FAILED
        print(target)
    return exits.OK
