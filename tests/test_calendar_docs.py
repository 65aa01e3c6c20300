"""docs/calendars.md and docs/training.md: what they show is what the configuration and Alertmanager take."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

from exporter.calendars import intervals
from exporter.calendars.calendar import Calendar
from exporter.config.file import parse
from exporter.demo.servers import find
from exporter.diary.incidents import listed
from tests.rules.promql import REPOSITORY

DOCS = REPOSITORY / "docs"
MINIMAL = {"tsdb": {"url": "http://localhost:9090"}, "queries": [{"name": "rate", "expr": "rate"}]}


def blocks(page: str, kind: str) -> list[str]:
    """The blocks of one kind on a page."""
    return re.findall(rf"```{kind}\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("page", ["calendars.md", "training.md"])
def test_every_example_is_a_configuration(page: str) -> None:
    """Each block of YAML but Alertmanager's own is accepted beside the two keys that are required."""
    for block in blocks(page, "yaml"):
        if "route:" not in block:
            parse(block + yaml.safe_dump(MINIMAL))


def test_the_mutes_load_with_what_the_command_prints(tmp_path: Path) -> None:
    """The route of the page and the intervals of its examples together pass amtool."""
    *examples, route = blocks("calendars.md", "yaml")
    loaded = [parse(it + yaml.safe_dump(MINIMAL)) for it in examples]
    (holidays,) = [it for one in loaded for it in one.calendars if it.name == "holidays"]
    found = [intervals.of_calendar(Calendar(holidays, "Europe/Berlin"), 1_800_000_000, 1_810_000_000)]
    found += intervals.of_periods(loaded[1].periods, "Europe/Berlin")
    document = yaml.safe_load(route)
    document["route"]["receiver"] = "inform"
    document |= {"receivers": [{"name": "inform"}], "time_intervals": found}
    path = tmp_path / "alertmanager.yml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    done = subprocess.run([find("amtool"), "check-config", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_list_of_incidents_is_read() -> None:
    """The table of the page is one incident of payments."""
    (table,) = blocks("training.md", "text")
    (window,) = listed(table, ZoneInfo("UTC"))
    assert [str(it) for it in window.matchers] == ['service="payments"']
