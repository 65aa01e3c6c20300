"""docs/coverage.md: every row of what the rules are meant to cover names what carries it, and that exists."""

from __future__ import annotations

import re
from itertools import chain

import pytest
import yaml

from exporter.metrics.catalogue import CATALOGUE
from tests.alertmanager.alerts import BY_SEVERITY, CONFIG, SERVICE_PRIORITY
from tests.rules.promql import REPOSITORY, alerts, recorded

TEXT = (REPOSITORY / "docs" / "coverage.md").read_text(encoding="utf-8")
ROWS = {
    cells[0].strip(): cells[-1].strip()
    for cells in (line.strip("|\n").split("|") for line in TEXT.splitlines() if line.startswith("| "))
}
NUMBERED = {
    "B": (*range(1, 9), *range(10, 18)),
    "C": range(1, 18),
    "D": range(1, 15),
    "E": (5, 7, 9, 10, 11, 16, 18, 19),
    "F": (2, 3, 4, 5, 8, 10, 17, 19, 21, 22, 23, 25, 33),
    "G": range(1, 11),
    "P": range(1, 5),
}
"""The rows that ask for a rule; those about commands, formats or screens are covered elsewhere."""


def named(cell: str) -> list[str]:
    """What stands in backquotes."""
    return re.findall(r"`([^`]+)`", cell)


def routed() -> set[str]:
    """The receivers and time intervals of Alertmanager, and the key that groups."""
    content = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    return {it["name"] for it in chain(content["receivers"], content["time_intervals"])} | {"group_by"}


ALERTS = alerts()
KNOWN = set(ALERTS) | recorded() | set(CATALOGUE) | routed()


def test_every_row_is_there_once() -> None:
    """No row of the lists is forgotten, and none is written twice."""
    wanted = {f"{letter}{number}" for letter, numbers in NUMBERED.items() for number in numbers}
    written = re.findall(r"^\| ([B-GP]\d+) \|", TEXT, re.MULTILINE)
    assert sorted(written) == sorted(wanted)


@pytest.mark.parametrize(("row", "cell"), ROWS.items(), ids=list(ROWS))
def test_what_carries_a_row_exists(row: str, cell: str) -> None:
    """Each name is an alert, a recorded series, a family or a route; a row without one says why."""
    assert set(named(cell)) <= KNOWN
    assert named(cell) or re.match(r"carried by|no rule|not yet", cell), row


@pytest.mark.parametrize("priority", ["P1", "P2", "P3", "P4"])
def test_the_examples_of_a_priority_have_it(priority: str) -> None:
    """An alert that the page names for a priority is routed with that priority."""
    for alert in named(ROWS[priority]):
        own = (
            set(SERVICE_PRIORITY.values())
            if alert in BY_SEVERITY
            else {alerts()[alert]["labels"]["priority"]}
        )
        assert priority in own, alert
