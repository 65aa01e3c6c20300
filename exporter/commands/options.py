"""Options that several commands have, the same in each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

config_file = click.option(
    "--config.file",
    "config_file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("tidemark.yml"),
    show_default=True,
    help="The configuration file.",
)
output = click.option(
    "--output",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How the result is printed.",
)
moment = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"])


def to(name: str) -> Callable[[Command], Command]:
    """Where a report goes, `name` unless somebody says otherwise."""
    help_text = "Path of both files, without .html and .json."
    return click.option(
        "--to", type=click.Path(path_type=Path), default=name, show_default=True, help=help_text
    )


def unix(moment: datetime | None) -> float | None:
    """Unix seconds of a moment, which is UTC."""
    return moment.replace(tzinfo=UTC).timestamp() if moment else None
