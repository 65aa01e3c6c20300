"""`tidemark.yml` -> frozen values, or every error at once."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from exporter.config.consistency import Place, contradictions
from exporter.config.problems import SECRETS, ConfigError, Problem, dotted, line_of, problems_of
from exporter.config.query import Tuning
from exporter.config.schema import Config
from exporter.packs.unpacking import faults, unpack

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_BUDGETS = {"sensitivity", "false_alarms"}


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """A valid configuration, the hash of its text, and the file it was read from."""

    config: Config
    sha256: str
    path: Path

    @property
    def directory(self) -> Path:
        """Where relative paths of the file start."""
        return self.path.parent

    def resolve(self, path: Path) -> Path:
        """A path of the file, made absolute: relative ones are relative to the file, as in Prometheus."""
        return path if path.is_absolute() else self.directory / path

    def secret(self, path: Path) -> str:
        """The content of a secret file without its trailing newline; ConfigError when it cannot be read."""
        try:
            return self.resolve(path).read_text().strip()
        except OSError as error:
            raise ConfigError(
                str(self.resolve(path)), [Problem(0, "", f"cannot be read: {error.strerror}")]
            ) from None


def load(path: Path, environment: Mapping[str, str] = os.environ) -> LoadedConfig:
    """Read and validate the file at `path`; ConfigError holds every problem found."""
    try:
        text = path.read_text()
    except OSError as error:
        raise ConfigError(str(path), [Problem(0, "", f"cannot be read: {error.strerror}")]) from None
    except UnicodeDecodeError:
        raise ConfigError(str(path), [Problem(0, "", "is not UTF-8 text")]) from None
    config = parse(text, str(path), environment)
    return LoadedConfig(config, hashlib.sha256(text.encode()).hexdigest(), path.resolve())


def parse(text: str, source: str = "tidemark.yml", environment: Mapping[str, str] = os.environ) -> Config:
    """The configuration that `text` describes; ConfigError holds every problem found."""
    tree = _Tree(environment)
    value = tree.read(text, source)
    if not isinstance(value, dict):
        raise ConfigError(source, [Problem(0, "", "expected a mapping with the keys tsdb and queries")])
    tree.unpack(value)
    _inherit(value)
    try:
        config = Config.model_validate(value)
    except ValidationError as error:
        raise ConfigError(source, tree.problems + list(problems_of(error, tree.lines))) from None
    found = [Problem(line_of(tree.lines, at), dotted(at), told) for at, told in contradictions(config)]
    if tree.problems or found:
        raise ConfigError(source, tree.problems + found)
    return config


@dataclass
class _Tree:
    """YAML nodes -> plain values, keeping the line of every path and expanding `${ENV}` in text."""

    environment: Mapping[str, str]
    lines: dict[Place, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def read(self, text: str, source: str) -> Any:
        try:
            loader = yaml.SafeLoader(text)
            node = loader.get_single_node()
            return self._value(loader, node, ()) if node else None
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 0
            raise ConfigError(source, [Problem(line, "", f"is not YAML: {error.problem}")]) from None
        except (yaml.YAMLError, ValueError) as error:
            raise ConfigError(
                source, [Problem(0, "", f"is not YAML: {str(error).splitlines()[0]}")]
            ) from None
        except RecursionError:
            raise ConfigError(source, [Problem(0, "", "is not usable: it refers to itself")]) from None

    def unpack(self, value: dict[str, Any]) -> None:
        """Write the queries of the packs behind those of the file; each stands on the line of its pack."""
        found = list(faults(value))
        self.problems += [Problem(line_of(self.lines, at), dotted(at), told) for at, told in found]
        if not found:
            self.lines |= {query: self.lines[pack] for query, pack in unpack(value).items()}

    def _value(self, loader: yaml.SafeLoader, node: yaml.Node, place: Place) -> Any:
        self.lines[place] = node.start_mark.line + 1
        if isinstance(node, yaml.MappingNode):
            return self._mapping(loader, node, place)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(loader, item, (*place, i)) for i, item in enumerate(node.value)]
        value = loader.construct_object(node)
        return self._expanded(value, place) if isinstance(value, str) else value

    def _mapping(self, loader: yaml.SafeLoader, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            if key in out:
                self._problem((*place, key), "is written twice", line=key_node.start_mark.line + 1)
            out[key] = self._value(loader, value_node, (*place, key))
            self.lines[(*place, key)] = key_node.start_mark.line + 1
        return out

    def _expanded(self, text: str, place: Place) -> str:
        if place[-1:] and place[-1] in SECRETS and not _VARIABLE.fullmatch(text):
            self._problem(
                place, f"expected ${{ENV}}, or {place[-1]}_file: a secret does not stand in the file"
            )
        return _VARIABLE.sub(lambda found: self._variable(found[1], place), text)

    def _variable(self, name: str, place: Place) -> str:
        if name not in self.environment:
            self._problem(place, f"the environment variable {name} is not set")
        return self.environment.get(name, name)

    def _problem(self, place: Place, message: str, line: int | None = None) -> None:
        self.problems.append(Problem(line or self.lines.get(place, 0), dotted(place), message))


def _inherit(value: dict[str, Any]) -> None:
    """Write `categories`, `drift` and the defaults of `scoring` into every query that says nothing itself."""
    scoring = value.get("scoring")
    defaults = _defaults(scoring) if isinstance(scoring, dict) else {}
    shared = {key: value[key] for key in ("categories", "drift") if key in value}
    queries = value.get("queries")
    for query in queries if isinstance(queries, list) else ():
        if isinstance(query, dict):
            # A query that names its budget means it for all its series
            given = set(query) | ({*_BUDGETS, "categories"} if query.keys() & _BUDGETS else set())
            query.update({key: it for key, it in (defaults | shared).items() if key not in given})


def _defaults(scoring: dict[str, Any]) -> dict[str, Any]:
    """What `scoring` says about queries; of two budgets, which is an error there, none."""
    twofold = scoring.keys() >= _BUDGETS
    left_out = _BUDGETS if twofold else set()
    defaults = {key: scoring[key] for key in Tuning.model_fields if key in scoring and key not in left_out}
    if "step" not in defaults and "interval" in scoring:
        defaults["step"] = scoring["interval"]
    return defaults
