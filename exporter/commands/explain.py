"""`tidemark explain`: why a series has the score it has, now or at a time, in the words of its page."""

from __future__ import annotations

import dataclasses
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal
from xml.etree.ElementTree import Element

import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

from exporter.commands import exits, pictures, wiring
from exporter.commands.once import watched_pass
from exporter.config.file import LoadedConfig, load
from exporter.config.schema import Config
from exporter.cycle.cycle import Cycle
from exporter.metrics.telemetry import Telemetry
from exporter.shown.matches import matches
from exporter.shown.past import Past
from exporter.shown.portrait import Picture, Portrait
from exporter.shown.portraits import portrait
from exporter.shown.status import Finding, Links, Matches
from exporter.store import Store
from exporter.web.markup import Node
from exporter.web.series import judged, why

LISTED = 15
"""Series that are named where the labels fit several."""

WIDTH = 56
"""Characters of the picture of the last day."""


@dataclasses.dataclass(frozen=True, slots=True)
class At:
    """A clock that stands still at Unix second `now`."""

    now: float

    def time(self) -> float:
        """Wall time."""
        return self.now

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()


def explain(
    path: Path, query: str, labels: Mapping[str, str], at: float | None, output: Literal["table", "json"]
) -> int:
    """Explain the one series of `query` that has `labels`; the exit code says whether there was one."""
    loaded = load(path)
    if query not in {it.name for it in loaded.config.queries}:
        names = ", ".join(it.name for it in loaded.config.queries)
        print(f"{path}: no query is called {query}; there are {names}", file=sys.stderr)
        return exits.CONFIG
    with tempfile.TemporaryDirectory() as nowhere, Console(stderr=True) as messages:
        store = Store(Path(nowhere) if at else loaded.resolve(loaded.config.state.path))
        cycle = _cycle(loaded, query, store, At(at or time.time()))
        watched_pass(cycle, messages)
        code = _told(loaded, cycle, query, labels, output, messages)
        cycle.end()
    return code


def _cycle(loaded: LoadedConfig, query: str, store: Store, clock: At) -> Cycle:
    """One that knows the query, and those that are in a group with it."""
    telemetry, stop = Telemetry(), threading.Event()
    source, times = wiring.client(loaded, telemetry, stop), wiring.times(loaded)
    return Cycle(_about(loaded.config, query), source, telemetry, store, stop, clock, times)


def _about(config: Config, query: str) -> Config:
    groups = [it for it in config.groups if query in it.queries]
    needed = {query, *(name for it in groups for name in it.queries)}
    queries = [it for it in config.queries if it.name in needed]
    return config.model_copy(update={"queries": tuple(queries), "groups": tuple(groups)})


def _told(
    loaded: LoadedConfig,
    cycle: Cycle,
    query: str,
    labels: Mapping[str, str],
    output: Literal["table", "json"],
    messages: Console,
) -> int:
    """Print what was found; where that is not one series, say what there is."""
    found = matches(cycle, Links(), query, labels)
    exact = [it for it in found.findings if it.series.labels == labels]
    chosen = exact or (found.findings if found.total == 1 else [])
    if not chosen:
        return _not_one(found, messages)
    of = portrait(cycle, Links(), query, chosen[0].series.labels)
    if of is None:
        return exits.FAILED
    past = Past(wiring.client(loaded, Telemetry(), threading.Event()))
    day = past.pictures(of)[0]
    past.close()
    if output == "json":
        document = dataclasses.asdict(dataclasses.replace(of, key=b"", others=frozenset()))
        left_out = ("key", "others", "links")
        document = {name: value for name, value in document.items() if name not in left_out}
        print(orjson.dumps(document | {"day": dataclasses.asdict(day)}, option=orjson.OPT_INDENT_2).decode())
    else:
        _print(of, day)
    return exits.OK


def _not_one(found: Matches, messages: Console) -> int:
    if not found.total:
        messages.print(f"{found.query}: no series has these labels now", markup=False)
        return exits.FAILED
    messages.print(f"{found.query}: {found.total:,} series have these labels; name one:", markup=False)
    for it in found.findings[:LISTED]:
        messages.print(f"  {it.series.score:5.2f}  {_words(it)}", markup=False, soft_wrap=True)
    return exits.FAILED


def _words(it: Finding) -> str:
    return " ".join(f"{name}={value}" for name, value in it.series.labels.items())


def _print(of: Portrait, day: Picture) -> None:
    own, console = of.finding.series, Console()
    console.print(Text(f"{own.query} {_words(of.finding)}", "bold"))
    console.print(pictures.rail(own.value, own.lower, own.expected, own.upper, WIDTH))
    console.print(pictures.sparkline(day.band, WIDTH, whole=True), Text("last day", "dim"), sep="  ")
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, content in (*why(of), *judged(of), ("Expression", of.expr)):
        table.add_row(name, Text(plain(content)))
    console.print(table)


def plain(content: Node | Iterable[Node]) -> str:
    """What stands in a part of a page, with its line breaks and nothing else."""
    if isinstance(content, str):
        return content
    if not isinstance(content, Element):
        return "".join(plain(it) for it in content).strip()
    own = "\n" if content.tag == "br" else ""
    inner = "" if content.tag == "meter" else (content.text or "")
    inside = "".join(plain(it) + (it.tail or "") for it in content)
    return f"{own}{inner}{inside}" + ("\n" if content.tag == "div" else "")
