"""`tidemark backtest`: the history once more, as it would have been, printed."""

from __future__ import annotations

import dataclasses
import sys
import threading
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Literal

import orjson
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from exporter.backtest import Backtest, Happening, backtest
from exporter.commands import exits, pictures, wiring
from exporter.config.file import LoadedConfig, load
from exporter.config.query import Query
from exporter.diary.diary import Diary, Times
from exporter.durations import format_duration
from exporter.metrics.telemetry import Telemetry
from exporter.query.scorer import Scorer
from exporter.query.surroundings import Source, Surroundings
from exporter.tsdb.errors import TsdbError


@dataclasses.dataclass(frozen=True, slots=True)
class Asked:
    """Which past, in Unix seconds (`end` None: now), which queries (none: all), and how much is printed."""

    start: float | None
    end: float | None
    days: float
    queries: Sequence[str]
    top: int
    output: Literal["table", "json"]


def run(path: Path, asked: Asked) -> int:
    """Backtest each query in turn, print what happened, and return the exit code."""
    loaded = load(path)
    unknown = sorted(set(asked.queries) - {it.name for it in loaded.config.queries})
    end = asked.end or time.time()
    start = asked.start or end - asked.days
    if unknown or start >= end:
        wrong = f"no query is called {', '.join(unknown)}" if unknown else "--from must lie before --to"
        print(f"{path}: {wrong}", file=sys.stderr)
        return exits.CONFIG
    stop, telemetry = threading.Event(), Telemetry()
    source = wiring.client(loaded, telemetry, stop)
    around, diary = _surroundings(loaded, source, telemetry, stop)
    chosen = [it for it in loaded.config.queries if not asked.queries or it.name in asked.queries]
    try:
        with source, Console(stderr=True) as messages:
            done, failed = _all(chosen, around, (start, end), asked.top, messages)
    except KeyboardInterrupt:
        return exits.INTERRUPTED
    finally:
        stop.set()
        diary.end()
    _print(done, asked.output)
    return exits.TSDB if failed else exits.OK


def _surroundings(
    loaded: LoadedConfig, source: Source, telemetry: Telemetry, stop: threading.Event
) -> tuple[Surroundings, Diary]:
    """As of a cycle, but Alertmanager is not asked: its silences of now say nothing of the past."""
    diary, scoring = Diary(telemetry, time), loaded.config.scoring
    diary.apply(loaded.config, Times(wiring.times(loaded).agenda), source)
    shared = (source, telemetry, scoring.time_zone, scoring.interval, stop, frozenset[str]())
    return Surroundings(*shared, diary.windows, diary.recall), diary


def _all(
    queries: Sequence[Query], around: Surroundings, span: tuple[float, float], top: int, messages: Console
) -> tuple[list[Backtest], bool]:
    """The outcome of each query, and whether one failed; a failure leaves the others alone."""
    done, failed = [], False
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=messages, transient=True) as progress:
        for query in queries:
            task = progress.add_task(query.name, total=1.0)
            start, end = (it // query.step * query.step for it in span)
            told = partial(_tell, progress, task)
            try:
                done.append(backtest(Scorer(query, around), start, end, top, told))
            except TsdbError as error:
                failed = True
                messages.print(f"{query.name}: {error}", markup=False, style="red")
    return done, failed


def _tell(progress: Progress, task: TaskID, share: float) -> None:
    progress.update(task, completed=share)


def _print(done: Sequence[Backtest], output: Literal["table", "json"]) -> None:
    if output == "json":
        document = [dataclasses.asdict(it) | {"per_week": it.per_week} for it in done]
        print(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
        return
    console = Console()
    console.print(_summary(done))
    for it in done:
        for happening in it.worst:
            console.print(_lines(it.query, happening), soft_wrap=True)


def _summary(done: Sequence[Backtest]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("query", overflow="fold")
    for name in ("series", "points", "above 1", "per week", "promised"):
        table.add_column(name, justify="right")
    for it in done:
        counts = (f"{it.series:,}", f"{it.points:,}", f"{it.happenings:,}")
        table.add_row(Text(it.query), *counts, f"{it.per_week:.2f}", f"{it.promised:.2f}")
    return table


def _lines(query: str, it: Happening) -> Text:
    """Two lines for one happening: what and how far, then the way there."""
    began = time.strftime("%Y-%m-%d %H:%M", time.gmtime(it.start))
    lasted = format_duration(it.end - it.start) if it.end > it.start else "one point"
    labels = ", ".join(f"{name}={value}" for name, value in it.labels.items())
    first = f"\n{it.score:5.2f}  {query}  {labels}"
    second = f"\n       {began}, {lasted}: {it.value:.4g}, expected {it.expected:.4g}  "
    return Text(first, "bold").append(Text(second)).append_text(pictures.sparkline(it.band))
