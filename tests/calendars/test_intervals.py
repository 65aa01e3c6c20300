"""`tidemark calendars`: what it prints is what a real Alertmanager takes, and means the same."""

from __future__ import annotations

import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from click.testing import CliRunner

from exporter.calendars import timetable
from exporter.calendars.calendar import Calendar
from exporter.calendars.intervals import of_calendar, of_periods
from exporter.calendars.timetable import Period
from exporter.cli import tidemark
from exporter.demo.servers import find

CONFIG = """
tsdb: {url: "http://localhost:9090"}
queries: [{name: rate, expr: rate}]
scoring: {time_zone: Europe/Berlin}
calendars:
  - {name: holidays, score_as: sunday, country: DE, subdivision: BY}
  - {name: backup, score_as: no_learn, weekly: [{days: [sat], from: "22:00", to: "04:00"}]}
  - name: patches
    score_as: no_score
    rules: [{rrule: "FREQ=MONTHLY;BYDAY=2TU", start: 2026-01-13T23:00, lasts: 3h}]
periods:
  - {name: working, days: [mon-fri], from: "08:00", to: "18:00"}
  - {name: rest, days: [mon-fri], from: "18:00", to: "24:00"}
  - {name: rest, days: [mon-fri], to: "08:00"}
  - {name: rest, days: [sat, sun]}
"""
TREE = """
route: {receiver: nobody, routes: [{receiver: nobody, mute_time_intervals: [%s]}]}
receivers: [{name: nobody}]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A file with calendars of every kind, and periods."""
    path = tmp_path / "tidemark.yml"
    path.write_text(CONFIG)
    return path


def printed(config: Path, *options: str) -> str:
    """What the command prints."""
    done = CliRunner().invoke(tidemark, ["calendars", "--config.file", str(config), *options])
    assert done.exit_code == 0, done.output
    return done.output


def of_windows(*windows: tuple[str, str], zone: str = "Europe/Berlin") -> list[dict[str, Any]]:
    """The entries of a calendar of single windows."""
    spec = {"name": "c", "score_as": "usual", "windows": [{"from": one, "to": two} for one, two in windows]}
    calendar = Calendar(timetable.Calendar.model_validate(spec), zone)
    parts: list[dict[str, Any]] = of_calendar(calendar, 0, 4_000_000_000)["time_intervals"]
    return parts


def test_a_real_alertmanager_takes_them(config: Path, tmp_path: Path) -> None:
    """amtool finds each of the time intervals in a file that mutes by them."""
    found = printed(config)
    names = [it["name"] for it in yaml.safe_load(found)["time_intervals"]]
    assert names == ["holidays", "backup", "patches", "working", "rest"]
    path = tmp_path / "alertmanager.yml"
    path.write_text(TREE % ", ".join(names) + found)
    done = subprocess.run([find("amtool"), "check-config", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_same_is_printed_as_json_and_as_a_table(config: Path) -> None:
    """JSON holds what YAML holds, and the table has a line for each entry."""
    assert orjson.loads(printed(config, "--output", "json")) == yaml.safe_load(printed(config))
    table = printed(config, "--output", "table")
    assert "backup" in table
    assert "22:00-24:00" in table


def test_a_shorter_look_ahead_has_fewer_dates(config: Path) -> None:
    """Weekly hours need no dates and are there whatever the look-ahead."""
    near = {it["name"] for it in yaml.safe_load(printed(config, "--ahead", "1m"))["time_intervals"]}
    assert {"backup", "working", "rest"} <= near


def test_windows_are_split_at_midnight() -> None:
    """A window over a night is the end of one day and the beginning of the next."""
    assert of_windows(("2026-12-01T22:00", "2026-12-02T04:30")) == [
        {
            "times": [{"start_time": start, "end_time": end}],
            "days_of_month": [day],
            "months": ["12"],
            "years": ["2026"],
            "location": "Europe/Berlin",
        }
        for day, start, end in (("1", "22:00", "24:00"), ("2", "00:00", "04:30"))
    ]


def test_whole_days_of_a_month_are_one_entry() -> None:
    """Days without hours share an entry, month by month."""
    parts = of_windows(("2026-12-30", "2027-01-02"))
    assert [(it["months"], it["days_of_month"]) for it in parts] == [
        (["12"], ["30", "31"]),
        (["1"], ["1", "2"]),
    ]
    assert all("times" not in it for it in parts)


def test_the_hour_that_comes_twice_is_covered() -> None:
    """A window within the repeated hour never becomes an empty one."""
    begin, end = "2026-10-25T00:45+00:00", "2026-10-25T01:15+00:00"
    (part,) = of_windows((begin, end))
    assert datetime.fromisoformat(begin) < datetime.fromisoformat(end)
    assert part["times"] == [{"start_time": "02:14", "end_time": "02:46"}]


def test_hours_across_midnight_recur_on_both_days() -> None:
    """Saturday 22:00 to 04:00 is Saturday evening and Sunday morning, every week."""
    night = Period.model_validate({"name": "n", "days": ["sat", "sun"], "from": "22:00", "to": "04:00"})
    ((evening, morning),) = (it["time_intervals"] for it in of_periods([night], "UTC"))
    assert evening["weekdays"] == ["saturday", "sunday"]
    assert morning["weekdays"] == ["monday", "sunday"]
    assert morning["times"] == [{"start_time": "00:00", "end_time": "04:00"}]


def test_a_file_that_is_not_there_is_an_error_of_the_configuration(config: Path) -> None:
    """The key and the file are named."""
    config.write_text(CONFIG.replace("country: DE, subdivision: BY", "file: holidays.ics"))
    done = CliRunner().invoke(tidemark, ["calendars", "--config.file", str(config)])
    assert "calendars[0].file: holidays.ics cannot be read" in str(done.exception)
