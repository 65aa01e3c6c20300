"""The models by name; one file each, all behind the contract of `contract.py`."""

from __future__ import annotations

from exporter.models.auto import Auto
from exporter.models.contract import Model
from exporter.models.ets import Ets
from exporter.models.holt_winters import HoltWinters
from exporter.models.peers import Peers
from exporter.models.quantile import Quantile
from exporter.models.rate_of_change import RateOfChange
from exporter.models.seasonal import Seasonal
from exporter.models.static import Static
from exporter.models.stl import Stl

MODELS: dict[str, type[Model]] = {
    "seasonal": Seasonal,
    "holt_winters": HoltWinters,
    "quantile": Quantile,
    "rate_of_change": RateOfChange,
    "stl": Stl,
    "ets": Ets,
    "peers": Peers,
    "static": Static,
    "auto": Auto,
}
