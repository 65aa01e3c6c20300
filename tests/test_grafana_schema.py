"""The dashboards against the schema that Grafana publishes, in the versions that they must open in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.grafana.dashboards import DASHBOARDS, load
from tests.rules.promql import REPOSITORY

SCHEMAS = REPOSITORY / ".servers" / "grafana-schema"
VERSIONS = ("10.1", "11.6", "12")
PROGRAM = REPOSITORY / "tests" / "grafana" / "schema.py"

each_version = pytest.mark.parametrize("version", VERSIONS)


def findings(version: str, *paths: Path) -> list[str]:
    """What the schema of Grafana `version` says; a schema that is missing is a fault."""
    assert (SCHEMAS / version).is_dir(), "run make schemas"
    command = [sys.executable, str(PROGRAM), *map(str, paths)]
    environment = {**os.environ, "PYTHONPATH": str(SCHEMAS / version)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=120)
    return done.stdout.splitlines()


@each_version
def test_every_dashboard_is_valid(version: str) -> None:
    """Each field is one that this Grafana knows, and each value one that it allows."""
    assert findings(version, *DASHBOARDS) == []


@each_version
def test_what_is_wrong_is_found(version: str, tmp_path: Path) -> None:
    """An unknown option, a value that is not listed, a text for a number, an unknown field at any depth."""
    dashboard = load("overview")
    panel = next(it for it in dashboard["panels"] if it["type"] == "timeseries")
    panel["options"]["glitter"] = True
    panel["options"]["tooltip"]["mode"] = "loud"
    panel["gridPos"]["w"] = "wide"
    panel["transformations"] = [{"id": "merge", "options": {}, "order": 1}]
    dashboard["templating"]["list"][0]["colour"] = "red"
    path = tmp_path / "wrong.json"
    path.write_text(json.dumps(dashboard), encoding="utf-8")
    found = "\n".join(findings(version, path))
    for place in (
        "options.glitter: unknown",
        "tooltip.mode: 'loud'",
        "w: 'wide'",
        "transformations",
        "colour",
    ):
        assert place in found
