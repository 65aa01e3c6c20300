"""The layout of the code: imports point one way, and each library has one owner."""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1] / "exporter"

ROOMS = [
    {"__main__"},
    {"cli"},
    {"commands"},
    {"demo", "reports"},
    {"web"},
    {"backtest"},
    {"shown"},
    {"cycle"},
    {"groups", "diary"},
    {"query"},
    {"drift", "forecast"},
    {"metrics"},
    {"tsdb", "store"},
    {"models"},
    {"tail", "seasons"},
    {"config"},
    {"calendars"},
    {"kinds", "matchers"},
    {"columns", "promql"},
    {"assets"},
    {"frame", "durations", "packs", "logs"},
]
"""From the top to the bottom: a room may import only what stands below it, or itself."""

OWNERS = {
    "click": {"cli", "commands"},
    "rich": {"commands", "demo"},
    "starlette": {"web"},
    "uvicorn": {"web"},
    "bcrypt": {"web"},
    "prometheus_client": {"metrics"},
    "isal": {"metrics"},
    "httpx": {"tsdb", "diary"},
    "statsmodels": {"models"},
    "sklearn": {"models", "groups"},
    "holidays": {"calendars"},
    "dateutil": {"calendars"},
    "icalendar": {"calendars"},
    "yaml": {"config", "packs", "web", "commands", "assets"},
    "pydantic": {"config", "kinds", "calendars", "web"},
}

FORBIDDEN = {"utils", "util", "helpers", "helper", "manager", "base", "common", "misc"}


def room_of(path: Path) -> str:
    """The room that a file belongs to: its package or, at the top, its own name."""
    parts = path.relative_to(ROOT).parts
    return parts[0] if len(parts) > 1 else path.stem


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in it the import stands."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield node.module or ""
            if (node.module or "").split(".")[0] == "exporter":
                yield from (f"{node.module}.{alias.name}" for alias in node.names)


def files() -> list[Path]:
    """Every source file of the package but its root, which holds the version alone."""
    return [path for path in sorted(ROOT.rglob("*.py")) if path != ROOT / "__init__.py"]


def test_every_room_stands_in_the_table() -> None:
    """A new module finds its place in the order before it is used."""
    assert {room_of(path) for path in files()} == set().union(*ROOMS)


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path: Path) -> None:
    """A room imports only rooms that stand lower than itself."""
    floors = {room: floor for floor, rooms in enumerate(ROOMS) for room in rooms}
    here = room_of(path)
    for module in imports(path):
        parts = module.split(".")
        if parts[0] == "exporter" and len(parts) > 1 and parts[1] in floors and parts[1] != here:
            assert floors[parts[1]] > floors[here], f"{here} must not import {parts[1]}"


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_libraries_have_one_owner(path: Path) -> None:
    """A library that only one room speaks is imported nowhere else."""
    for module in imports(path):
        owners = OWNERS.get(module.split(".")[0])
        assert owners is None or room_of(path) in owners, f"{room_of(path)} must not import {module}"


def test_no_import_goes_round_in_a_circle() -> None:
    """Within a room, too, each file can be read after those that it imports."""
    places = {path: ("exporter", *path.relative_to(ROOT).with_suffix("").parts) for path in files()}
    names = {".".join(place): path for path, place in places.items() if path.stem != "__init__"}
    graph = {name: {it for it in imports(path) if it in names} for name, path in names.items()}
    TopologicalSorter(graph).prepare()


def test_no_room_is_a_drawer() -> None:
    """Modules are named for what they do."""
    names = {part for path in files() for part in path.relative_to(ROOT).with_suffix("").parts}
    assert not names & FORBIDDEN


def test_packages_are_at_most_two_deep() -> None:
    """A stranger finds every file within two steps."""
    assert all(len(path.relative_to(ROOT).parts) <= 2 for path in files())
