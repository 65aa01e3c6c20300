"""`tidemark once`: one pass over all queries, printed."""

from __future__ import annotations

import dataclasses
import math
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import orjson
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from rich.table import Table
from rich.text import Text

from exporter.commands import exits, pictures, wiring
from exporter.config.file import load
from exporter.cycle.cycle import Cycle
from exporter.durations import format_duration
from exporter.metrics.exposition import GroupScores
from exporter.metrics.telemetry import Telemetry
from exporter.shown import forecasts
from exporter.shown.drifting import drifting
from exporter.shown.ranking import strangest
from exporter.shown.status import NEXT_STEP, DriftingSeries, StrangeSeries
from exporter.store import Store

PICTURE = 13
"""Characters of a band picture: a row fits 80 columns."""


def once(path: Path, output: Literal["table", "json"], top: int) -> int:
    """Score, print the `top` strangest series (all of them as JSON), and return the exit code.

    Saved state shortens the start and is left as it is.
    """
    loaded = load(path)
    telemetry = Telemetry()
    store = Store(loaded.resolve(loaded.config.state.path))
    stop = threading.Event()
    source, times = wiring.client(loaded, telemetry, stop), wiring.times(loaded)
    cycle = Cycle(loaded.config, source, telemetry, store, stop, times=times)
    try:
        with Console(stderr=True) as messages:
            watched_pass(cycle, messages)
    except KeyboardInterrupt:
        cycle.end()
        return exits.INTERRUPTED
    if output == "json":
        print(orjson.dumps(_document(cycle), option=orjson.OPT_INDENT_2).decode())
    else:
        for table in _tables(cycle, top):
            Console().print(table)
    if not cycle.failures:
        return exits.OK
    down = all(it.reason in ("unreachable", "timeout", "circuit_open") for it in cycle.failures.values())
    return exits.TSDB if down and len(cycle.failures) == len(cycle.scorers) else exits.FAILED


def watched_pass(cycle: Cycle, messages: Console) -> None:
    """One pass in a thread, with a bar per query that reads history."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    work = threading.Thread(target=cycle.pass_over)
    with Progress(*columns, console=messages, transient=True) as progress:
        tasks = {name: progress.add_task(name, total=1.0) for name in cycle.scorers}
        work.start()
        while work.is_alive():
            work.join(0.1)
            for name, task in tasks.items():
                progress.update(task, completed=cycle.scorers[name].progress)
    cycle.settle()
    for name, scorer in cycle.scorers.items():
        if name not in cycle.failures and not cycle.scorers[name].counts.get("scored"):
            messages.print(f"{name}: no series is scored yet: {_why_not(dict(scorer.counts))}", markup=False)
    for name, failure in cycle.failures.items():
        messages.print(f"{name}: {failure.message}. {NEXT_STEP[failure.reason]}", markup=False, style="red")


def _why_not(counts: dict[str, int]) -> str:
    if counts.get("learning"):
        return f"{counts['learning']} have fewer points than their warm-up asks for"
    if counts.get("paused"):
        return f"a calendar says no_score for {counts['paused']} of them"
    return "the expression returns nothing now"


def _tables(cycle: Cycle, top: int) -> Iterator[Table | str]:
    """The strangest series, those that drift most, and the limits that are nearest."""
    rows = strangest(cycle.snapshot, top)
    yield _strange(rows) if rows else "no series is scored yet"
    if drifts := drifting(cycle.snapshot).series[:top]:
        yield _drifting(drifts)
    if limits := forecasts.left(cycle.snapshot)[:top]:
        yield _left(limits)


def _strange(rows: Sequence[StrangeSeries]) -> Table:
    table = _empty("score", "value", "normal", "")
    for row in rows:
        normal = f"{_number(row.lower)} to {_number(row.upper)}"
        picture = pictures.rail(row.value, row.lower, row.expected, row.upper, PICTURE)
        score = Text(f"{row.score:.2f}", "yellow" if row.score > 1 else "")
        told = (Text(row.query), _labels(row.labels), _number(row.value), normal)
        table.add_row(score, *told, picture)
    return table


def _drifting(rows: Sequence[DriftingSeries]) -> Table:
    table = _empty("drift", "since", "shift", "movement")
    for row in rows:
        since = "–" if math.isnan(row.since) else time.strftime("%Y-%m-%d %H:%M", time.gmtime(row.since))
        size = (f"{row.shift:+.4g}", f"{row.movement_ratio:.2g} times")
        table.add_row(Text(f"{row.score:.1f}", "yellow"), Text(row.query), _labels(row.labels), since, *size)
    return table


def _left(rows: Sequence[tuple[Mapping[str, str], float]]) -> Table:
    table = _empty("left", "limit")
    for labels, seconds in rows:
        own = {name: value for name, value in labels.items() if name not in ("query", "limit")}
        left = format_duration(max(60, seconds // 60 * 60))
        table.add_row(Text(left), Text(labels["query"]), _labels(own), Text(labels["limit"]))
    return table


def _empty(first: str, *others: str) -> Table:
    """A table of series without rows; columns for `first`, query and series, and `others`."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(first, justify="right")
    table.add_column("query", overflow="fold")
    table.add_column("series", overflow="fold")
    for name in others:
        table.add_column(name, justify="right")
    return table


def _labels(labels: Mapping[str, str]) -> Text:
    """Text, not markup: a label value may hold square brackets."""
    return Text(", ".join(f"{name}={value}" for name, value in labels.items()))


def _number(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.4g}"


def _document(cycle: Cycle) -> dict[str, Any]:
    """Every scored series, what drifts, what is foretold, and every query that failed; NaN becomes null."""
    failures = {name: dataclasses.asdict(it) for name, it in cycle.failures.items()}
    return {
        "time": cycle.snapshot.time,
        "series": [dataclasses.asdict(it) for it in strangest(cycle.snapshot)],
        "groups": [document for it in cycle.snapshot.groups for document in _services(it)],
        "drift": [dataclasses.asdict(it) for it in drifting(cycle.snapshot, shown=None).series],
        "forecasts": [{"labels": labels, **numbers} for labels, numbers in forecasts.ahead(cycle.snapshot)],
        "limits": [{"labels": labels, "seconds": left} for labels, left in forecasts.left(cycle.snapshot)],
        "failures": failures,
    }


def _services(scores: GroupScores) -> Iterator[dict[str, Any]]:
    """The scored services of a group, with the shares of the queries that are there."""
    for row in np.flatnonzero(np.isfinite(scores.score)).tolist():
        shares = dict(zip(scores.queries, scores.contribution[row].tolist(), strict=True))
        yield {
            "labels": dict(scores.services[row]),
            "score": float(scores.score[row]),
            "contributions": {query: share for query, share in shares.items() if share == share},
        }
