"""The documentation names what there is: every metric, command, option, key and exit code, and no others."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args, get_origin

import click
from pydantic import BaseModel

from exporter.cli import tidemark
from exporter.commands import exits
from exporter.config.query import Scoring, Tuning
from exporter.config.schema import Config
from exporter.metrics.catalogue import CATALOGUE
from exporter.shown.status import NEXT_STEP

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"


def keys(model: type[BaseModel], prefix: str = "") -> set[str]:
    """Every key that the file may hold, as a dotted path."""
    out: set[str] = set()
    for attribute, field in model.model_fields.items():
        name = field.alias or attribute
        parts = [field.annotation, *get_args(field.annotation)]
        inner = next((it for it in parts if isinstance(it, type) and issubclass(it, BaseModel)), None)
        if prefix and name in ("categories", "drift"):
            inner = None  # as in the section of that name
        listed = "[]" if get_origin(field.annotation) is tuple else ""
        out |= keys(inner, f"{prefix}{name}{listed}.") if inner else {f"{prefix}{name}"}
    return out


def test_every_key_of_the_configuration_is_documented() -> None:
    """docs/configuration.md has a row for each key, and none for a key there is not."""
    text = (DOCS / "configuration.md").read_text()
    documented = set(re.findall(r"^\| `([\w.\[\]]+)`", text, re.MULTILINE))
    shared = {f"scoring.{name}" for name in Tuning.model_fields}
    assert documented == keys(Config) - shared
    starred = set(re.findall(r"^\| `queries\[\]\.(\w+)` \*", text, re.MULTILINE))
    assert starred == set(Tuning.model_fields)
    assert set(Scoring.model_fields) - starred == {"interval", "time_zone"}


def test_every_metric_is_documented() -> None:
    """docs/metrics.md has a row for each family of the catalogue with its type, and none for another."""
    text = (DOCS / "metrics.md").read_text()
    rows = re.findall(r"^\| `([a-z]+_\w+)` \| (gauge|counter|histogram) \|", text, re.MULTILINE)
    documented = dict(rows)
    assert documented == {family.name: family.kind for family in CATALOGUE.values()}


def test_every_reason_is_documented() -> None:
    """Each reason of a failed query has a row, and a next step for the person who sees it."""
    text = (DOCS / "metrics.md").read_text().split("### Reasons")[1]
    assert set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) - {"reason"} == set(NEXT_STEP)


def commands(group: click.Group, words: str = "") -> Iterator[tuple[str, click.Command]]:
    """A command and all below it, each with the words that call it."""
    yield words, group
    for name, it in group.commands.items():
        called = f"{words} {name}".strip()
        yield from commands(it, called) if isinstance(it, click.Group) else [(called, it)]


def test_every_command_and_option_is_documented() -> None:
    """docs/commands.md names each command and each of its options."""
    text = (DOCS / "commands.md").read_text()
    assert set(re.findall(r"^\| `tidemark (\w+)[ `]", text, re.MULTILINE)) == set(tidemark.commands)
    for name, command in commands(tidemark):
        assert f"tidemark {name}".strip() in text
        for option in command.params:
            shown = option.opts[0] if isinstance(option, click.Option) else option.opts[0].upper()
            assert shown in text, f"{name} {shown}"


def test_every_exit_code_is_documented() -> None:
    """docs/commands.md has a row for each exit code, and none for another."""
    text = (DOCS / "commands.md").read_text()
    codes = {value for name, value in vars(exits).items() if name.isupper()}
    assert {int(it) for it in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)} == codes


def test_links_between_pages_lead_somewhere() -> None:
    """Every relative link of README, CHANGELOG and docs names a file that is there."""
    pages = [ROOT / "README.md", ROOT / "CHANGELOG.md", *DOCS.rglob("*.md")]
    for page in pages:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.relative_to(ROOT)} links to {target}"


def test_no_page_names_a_package_registry() -> None:
    """Packages are named, never the hosts that serve them."""
    hosts = ("pypi" + ".org", "python" + "hosted", "npm" + "js.org", "deb.debian" + ".org")
    for page in (ROOT / "README.md", *DOCS.rglob("*.md")):
        assert not any(host in page.read_text() for host in hosts)
