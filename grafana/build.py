"""Writes the dashboards of this directory as JSON: `python -m grafana.build`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from grafana import alerts, detector, drift, input, models, overview, packs, series, services
from grafana.sheet import Sheet

DIRECTORY = Path(__file__).resolve().parent / "dashboards"
DASHBOARDS: dict[str, Callable[[], Sheet]] = {
    "overview": overview.sheet,
    "services": services.sheet,
    "series": series.sheet,
    "drift": drift.sheet,
    "models": models.sheet,
    "input": input.sheet,
    "alerts": alerts.sheet,
    "exporter": detector.sheet,
    **packs.SHEETS,
}


def text(name: str) -> str:
    """The JSON file of one dashboard."""
    return json.dumps(DASHBOARDS[name]().json(), indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write every dashboard."""
    for name in DASHBOARDS:
        (DIRECTORY / f"{name}.json").write_text(text(name), encoding="utf-8")


if __name__ == "__main__":
    main()
