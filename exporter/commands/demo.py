"""`tidemark demo`: real servers, three weeks of history, an incident, and the page it becomes."""

from __future__ import annotations

import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.markup import escape

from exporter.commands import exits
from exporter.demo import setting
from exporter.demo.servers import ServerError
from exporter.demo.setting import Setting
from exporter.demo.stage import Stage, Tsdb, stage
from exporter.demo.storm import Storm
from exporter.demo.story import Story
from exporter.demo.teller import Untold, tell_setup
from exporter.demo.three import Three

Tale = Literal["incident", "three", "storm"]


def demo(tsdb: Tsdb, story: Tale, *, calm: float, exit_after_alert: bool, keep: bool) -> int:
    """Play the story, with `calm` seconds before the incident.

    The exit code is 0 once the page came, 1 with the reason otherwise.
    """
    console = Console(highlight=False)
    directory = Path(tempfile.mkdtemp(prefix="tidemark-demo-"))
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        past, play = STORIES[story]
        with stage(directory, tsdb, tell_setup(console), past) as running:
            play(running, console, calm, exit_after_alert)
            if keep:
                _stay(running, console)
    except (ServerError, Untold) as error:
        console.print(f"demo: {error}", style="red", markup=False)
        console.print(f"the logs are in {directory}", markup=False)
        return exits.FAILED
    except KeyboardInterrupt:
        console.print("demo: ended by hand")
        ended = exits.FAILED if exit_after_alert else exits.OK
    else:
        ended = exits.OK
    shutil.rmtree(directory)
    return ended


def _incident(running: Stage, console: Console, calm: float, exit_after_alert: bool) -> None:
    story = Story(running, console)
    story.until_first_score()
    story.calm(calm)
    story.incident()
    story.until_page()
    if not exit_after_alert:
        story.until_resolved()
    console.print("[green]done[/green]: the page was delivered")


def _three(running: Stage, console: Console, calm: float, _: bool) -> None:
    story = Three(running, console)
    story.until_first_score(queries=4)
    story.calm(calm)
    story.begin()
    story.until_heard()
    console.print("[green]done[/green]: " + escape(story.summary()), soft_wrap=True)


def _storm(running: Stage, console: Console, calm: float, exit_after_alert: bool) -> None:
    story = Storm(running, console)
    story.until_first_score()
    story.calm(calm)
    story.begin()
    story.until_page()
    if not exit_after_alert:
        story.aftermath()
    console.print(f"[green]done[/green]: {story.summary()}")


STORIES: dict[Tale, tuple[Setting, Callable[[Stage, Console, float, bool], None]]] = {
    "incident": (setting.INCIDENT, _incident),
    "three": (setting.THREE, _three),
    "storm": (setting.STORM, _storm),
}


def _stay(running: Stage, console: Console) -> None:
    console.print("everything keeps running; Ctrl-C ends it")
    for name in ("exporter", "prometheus", "alertmanager", "tsdb", "services"):
        console.print(f"  {name:<13} {getattr(running, name)}", markup=False)
    while running.process.poll() is None:
        time.sleep(1)
