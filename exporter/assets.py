"""The rules, Alertmanager files and dashboards that travel with the package."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).resolve().parent


def assets(name: str) -> Path:
    """The directory `rules`, `alertmanager` or `grafana`: of an installed wheel, or of a checkout."""
    packaged = _HERE / "shipped" / name
    return packaged if packaged.is_dir() else _HERE.parent / name
