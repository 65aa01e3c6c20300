"""The runbooks: one page per alert, with its sections, and commands that fit what is really there."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from exporter.cli import tidemark
from exporter.demo.servers import find
from tests.rules.promql import REPOSITORY, alerts, known_names, metric_names

RUNBOOKS = REPOSITORY / "docs" / "runbooks"
PAGES = sorted(RUNBOOKS.glob("*.md"))
SECTIONS = ["Meaning", "Impact", "Diagnosis", "Mitigation", "Tuning"]
ALERTS = alerts()


def commands() -> list[list[str]]:
    """Every command of every page, split as a shell would."""
    blocks = [
        block for page in PAGES for block in re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL)
    ]
    return [shlex.split(line) for block in blocks for line in block.splitlines()]


COMMANDS = commands()
QUERIES = [command[4] for command in COMMANDS if command[:3] == ["promtool", "query", "instant"]]


@pytest.mark.parametrize("alert", ALERTS)
def test_every_alert_has_a_runbook(alert: str) -> None:
    """The page carries the alert's name and the agreed sections, each with text."""
    text = (RUNBOOKS / f"{alert}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {alert}\n")
    parts = re.split(r"^## (.+)\n", text, flags=re.MULTILINE)
    assert parts[1::2] == SECTIONS
    assert all(len(body.strip()) > 40 for body in parts[2::2])


def test_no_runbook_without_its_alert() -> None:
    """A page for an alert that no longer exists would mislead."""
    assert {page.stem for page in PAGES} == set(ALERTS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_diagnosis_has_a_command(page: Path) -> None:
    """Each page gives at least one command to begin with."""
    diagnosis = page.read_text(encoding="utf-8").split("## Diagnosis")[1].split("## Mitigation")[0]
    assert "```sh\n" in diagnosis


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    """Relative links name files that exist."""
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).is_file(), target


def test_every_promql_in_a_runbook_is_valid(tmp_path: Path) -> None:
    """promtool parses each of them, and each names metrics that exist."""
    assert set().union(*map(metric_names, QUERIES)) <= known_names()
    rules = [{"record": f"runbook:query:{i}", "expr": expr} for i, expr in enumerate(QUERIES)]
    path = tmp_path / "runbooks.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "runbooks", "rules": rules}]}), encoding="utf-8")
    command = [str(find("promtool")), "check", "rules", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", [it for it in COMMANDS if it[0] == "tidemark"], ids=" ".join)
def test_every_tidemark_command_in_a_runbook_exists(command: list[str]) -> None:
    """The sub-command and its options are those of the program."""
    shown = CliRunner().invoke(tidemark, [command[1], "--help"])
    assert shown.exit_code == 0
    assert all(option in shown.output for option in command[2:] if option.startswith("--"))
