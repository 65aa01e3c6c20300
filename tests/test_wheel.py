"""The built wheel: what an installation without a source checkout has."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as it would be published, built from this checkout."""
    directory = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(directory)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return next(directory.glob("*.whl"))


def test_the_wheel_carries_rules_routing_and_dashboards(wheel: Path) -> None:
    """Every file of rules/, alertmanager/ and grafana/ that is loaded somewhere is in it."""
    names = set(zipfile.ZipFile(wheel).namelist())
    shipped = [*ROOT.glob("rules/**/*.yml"), *ROOT.glob("alertmanager/**/*.*")]
    shipped += [*ROOT.glob("grafana/dashboards/*.json"), *ROOT.glob("grafana/provisioning/**/*.yml")]
    assert len(shipped) > 8
    assert {f"exporter/shipped/{path.relative_to(ROOT)}" for path in shipped} <= names


def test_the_wheel_carries_the_packs(wheel: Path) -> None:
    """The queries of every pack are in it, beside the code that reads them."""
    packs = {str(path.relative_to(ROOT)) for path in ROOT.glob("exporter/packs/*.yml")}
    assert packs
    assert packs <= set(zipfile.ZipFile(wheel).namelist())


def test_the_wheel_runs_from_anywhere(wheel: Path, tmp_path: Path) -> None:
    """Unpacked alone, it finds its own files, the command starts, and it writes what it carries."""
    zipfile.ZipFile(wheel).extractall(tmp_path)
    code = "from exporter.assets.shipped import shipped; print(shipped('rules'))"
    environment = {"PYTHONPATH": str(tmp_path), "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == str(tmp_path / "exporter" / "shipped" / "rules")
    version = subprocess.run(
        [sys.executable, "-m", "exporter", "--version"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert version.stdout.startswith("tidemark, version")
    written = subprocess.run(
        [sys.executable, "-m", "exporter", "assets", "write", "assets", "--receiver=page=pagerduty"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "written    rules/thresholds.yml" in written.stdout
    rules = {path.relative_to(ROOT) for path in ROOT.glob("rules/**/*.yml")}
    assert all((tmp_path / "assets" / it).read_text() == (ROOT / it).read_text() for it in rules)


def test_the_wheel_carries_no_tests_and_no_tools(wheel: Path) -> None:
    """Only the package is in it."""
    roots = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {root for root in roots if not root.endswith(".dist-info")} == {"exporter"}
