"""`tidemark check`: everything the start needs, tried without starting."""

from __future__ import annotations

import dataclasses
import tempfile
import threading
import time
from collections.abc import Iterator, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import click
import orjson

from exporter.commands import exits, wiring
from exporter.config.file import LoadedConfig, load
from exporter.config.problems import ConfigError
from exporter.config.schema import Pack
from exporter.diary.alertmanager import Alertmanager
from exporter.kinds import HOUR
from exporter.metrics.telemetry import Telemetry
from exporter.packs import library
from exporter.tsdb.client import Client
from exporter.tsdb.errors import TsdbError


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was tried: what, whether it is well, a line about it, and the exit code if it is not."""

    what: str
    ok: bool
    message: str
    code: int = exits.OK


def check(path: Path, output: Literal["table", "json"]) -> int:
    """Print every finding and return the exit code of the first that is not well."""
    findings = list(_findings(path))
    if output == "json":
        documents = [dataclasses.asdict(it) for it in findings]
        click.echo(orjson.dumps({"findings": documents}, option=orjson.OPT_INDENT_2))
    else:
        for it in findings:
            click.echo(f"{'ok   ' if it.ok else 'WRONG'} {it.what}: {it.message}")
    return next((it.code for it in findings if it.code), exits.OK)


def _findings(path: Path) -> Iterator[Finding]:
    try:
        loaded = load(path)
        client, times = wiring.client(loaded, Telemetry(), threading.Event()), wiring.times(loaded)
    except ConfigError as error:
        yield from (Finding("configuration", False, line, exits.CONFIG) for line in error.lines())
        return
    yield Finding("configuration", True, f"{path}, queries: {len(loaded.config.queries)}")
    yield _state(loaded)
    yield from _tsdb(loaded, client)
    yield from map(_alertmanager, times.alertmanagers)


def _state(loaded: LoadedConfig) -> Finding:
    directory = loaded.resolve(loaded.config.state.path)
    existing = next(it for it in (directory, *directory.parents) if it.exists())
    try:
        with tempfile.TemporaryFile(dir=existing):
            return Finding("state", True, f"{directory} can be written")
    except OSError as error:
        message = f"{directory} cannot be written ({error.strerror}): choose another state.path"
        return Finding("state", False, message, exits.DISK)


def _tsdb(loaded: LoadedConfig, client: Client) -> Iterator[Finding]:
    try:
        yield Finding("tsdb", True, f"{loaded.config.tsdb.url} answers as {client.flavour()}")
    except TsdbError as error:
        yield Finding("tsdb", False, str(error), exits.TSDB)
        return
    for query in loaded.config.queries:
        try:
            client.check(query.expr)
            found = len(client.instant(query.expr, time.time() - query.offset, int(query.step)).keys)
        except TsdbError as error:
            yield Finding(f"query {query.name}", False, str(error), exits.TSDB)
        else:
            yield Finding(f"query {query.name}", True, f"the TSDB parses it; {_series(found)}")
    for pack in loaded.config.packs:
        yield _pack(pack, client, time.time() - loaded.config.scoring.offset)
    yield from _unused({pack.name for pack in loaded.config.packs}, client, time.time())


def _pack(pack: Pack, client: Client, at: float) -> Finding:
    """Which of the metrics that a pack reads are there at Unix second `at`."""
    shipped = library.pack(pack.name)
    wanted = shipped.metrics(pack.parameters) + shipped.further(pack.parameters)
    try:
        there = [it for it in wanted if client.instant(f"count({it})", at).keys]
    except TsdbError as error:
        return Finding(f"pack {pack.name}", False, str(error), exits.TSDB)
    told = f"the TSDB has {', '.join(there) or 'none of its metrics'}"
    missing = ", ".join(it for it in wanted if it not in there)
    return Finding(f"pack {pack.name}", True, f"{told}; it does NOT have {missing}" if missing else told)


def _unused(used: Set[str], client: Client, now: float) -> Iterator[Finding]:
    """The packs that are not `used`, and whose queries would find all their metrics of the last hour."""
    try:
        there = set(client.metrics(now - HOUR, now))
    except TsdbError as error:
        yield Finding("packs", False, f"which of them could be used is not known: {error}")
        return
    for name in library.names():
        if name not in used and there.issuperset(library.pack(name).metrics({})):
            yield Finding(f"pack {name}", True, "the TSDB has its metrics; add it to `packs`")


def _alertmanager(instance: Alertmanager) -> Finding:
    """Scores do not wait for an Alertmanager, so one that is down is told, and no failure of the check."""
    try:
        found = len(instance.read(time.time()))
    except TsdbError as error:
        return Finding("alertmanager", False, f"{instance.url}: {error}")
    return Finding("alertmanager", True, f"{instance.url} answers; windows now: {found}")


def _series(count: int) -> str:
    if count:
        return f"it returns {count:,} series now"
    return "it returns NO series now: is a metric or a label misspelt?"
