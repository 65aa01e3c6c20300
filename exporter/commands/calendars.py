"""`tidemark calendars`: the calendars and periods as `time_intervals` for Alertmanager, printed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import click
import orjson
import yaml
from rich.console import Console
from rich.table import Table

from exporter.calendars import intervals
from exporter.calendars.intervals import Part
from exporter.commands import exits, wiring
from exporter.config.file import load


def calendars(path: Path, output: Literal["yaml", "json", "table"], ahead: float) -> int:
    """Print what recurs weekly, and the dates of the next `ahead` seconds; the exit code."""
    loaded = load(path)
    now, config = int(time.time()), loaded.config
    found = [intervals.of_calendar(it, now, now + int(ahead)) for it in wiring.calendars(loaded)]
    found += intervals.of_periods(config.periods, config.scoring.time_zone)
    document = {"time_intervals": [it for it in found if it["time_intervals"]]}
    if output == "yaml":
        click.echo(yaml.safe_dump(document, sort_keys=False), nl=False)
    elif output == "json":
        click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2))
    else:
        Console().print(_table(document["time_intervals"]))
    return exits.OK


def _table(found: Sequence[Part]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("name", "days", "times", "zone"):
        table.add_column(name, overflow="fold")
    for it in found:
        for part in it["time_intervals"]:
            table.add_row(it["name"], ", ".join(_days(part)), _times(part), part["location"])
    return table


def _days(part: Part) -> Iterator[str]:
    yield from part.get("weekdays", ())
    for day in part.get("days_of_month", ()):
        yield f"{part['years'][0]}-{int(part['months'][0]):02}-{int(day):02}"


def _times(part: Part) -> str:
    return ", ".join(f"{it['start_time']}-{it['end_time']}" for it in part.get("times", ())) or "all day"
