"""Reads the rule files for the tests: their rules, and the metric names in an expression."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from exporter.metrics.catalogue import CATALOGUE
from exporter.metrics.family import Family
from exporter.packs import library

REPOSITORY = Path(__file__).resolve().parents[2]
RULES = REPOSITORY / "rules"
RULE_FILES = sorted(RULES.rglob("*.yml"))
BY_PROMETHEUS = {
    "up",
    "ALERTS",
    "ALERTS_FOR_STATE",
    "process_start_time_seconds",
    "process_resident_memory_bytes",
    "process_cpu_seconds_total",
    "scrape_duration_seconds",
}
"""Names that Prometheus or prometheus_client provide, not the catalogue."""
READ_BY_OBJECTIVES = {"http_requests_total", "http_request_duration_seconds_bucket"}
"""What `rules/overrides.yml` is written for, and its users may rename."""
READ_BY_PACKS = {
    metric for pack in map(library.pack, library.names()) for metric in (*pack.metrics({}), *pack.further({}))
}

Rule = dict[str, Any]

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'')
_SELECTOR = re.compile(r"\{[^{}]*\}|\[[^\[\]]*\]")
_LABEL_LIST = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^()]*\)")
_NAME = re.compile(r"(?<![\w:.])[a-zA-Z_:][\w:]*(?![\w:]*\s*\()")
_KEYWORDS = {"and", "or", "unless", "offset", "bool", "inf", "nan", "by", "without", "on", "ignoring"}
_DURATION = re.compile(r"\b\d+(?:ms|[smhdwy])\b")


def groups(path: Path) -> list[dict[str, Any]]:
    """The rule groups of one file."""
    return list(yaml.safe_load(path.read_text(encoding="utf-8"))["groups"])


def rules() -> Iterator[Rule]:
    """Every rule of every file."""
    for path in RULE_FILES:
        for group in groups(path):
            yield from group["rules"]


def alerts() -> dict[str, Rule]:
    """Alert name -> rule."""
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


def recorded() -> set[str]:
    """The names that the recording rules write."""
    return {rule["record"] for rule in rules() if "record" in rule}


def metric_names(expr: str) -> set[str]:
    """The metric names in a PromQL expression; names given as a matcher on __name__ are not seen."""
    for pattern in (_STRING, _SELECTOR, _LABEL_LIST, _DURATION):
        expr = pattern.sub(" ", expr)
    return {name for name in _NAME.findall(expr) if name.lower() not in _KEYWORDS}


def known_names() -> set[str]:
    """Every metric name that an expression may use: catalogue, rules, packs, Prometheus itself."""
    exposed = {name for family in CATALOGUE.values() for name in _sample_names(family)}
    return exposed | recorded() | BY_PROMETHEUS | READ_BY_OBJECTIVES | READ_BY_PACKS


def _sample_names(family: Family) -> list[str]:
    suffixes = ("_bucket", "_sum", "_count") if family.kind == "histogram" else ("",)
    return [family.name + suffix for suffix in suffixes]
