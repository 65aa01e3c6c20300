"""What is known of a metric family before anything is measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SOURCE = "source"
"""Stands in `labels` for all labels of the scored series."""

BY = "by"
"""Stands in `labels` for the labels that a group is made by."""


@dataclass(frozen=True, slots=True)
class Family:
    """One metric family as a scrape shows it; `help` names the unit."""

    name: str
    kind: Literal["gauge", "counter", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
