"""Writes the dashboards of this directory as JSON: `python -m grafana.build`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from grafana import overview
from grafana.panels import Json

DIRECTORY = Path(__file__).resolve().parent / "dashboards"
DASHBOARDS: dict[str, Callable[[], Json]] = {"overview": overview.dashboard}


def text(name: str) -> str:
    """The JSON file of one dashboard."""
    return json.dumps(DASHBOARDS[name](), indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write every dashboard."""
    for name in DASHBOARDS:
        (DIRECTORY / f"{name}.json").write_text(text(name), encoding="utf-8")


if __name__ == "__main__":
    main()
