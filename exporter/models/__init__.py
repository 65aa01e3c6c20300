"""The models by name; one file each, all behind the contract of `contract.py`."""

from __future__ import annotations

from exporter.models.contract import Model
from exporter.models.seasonal import Seasonal

MODELS: dict[str, type[Model]] = {"seasonal": Seasonal}
