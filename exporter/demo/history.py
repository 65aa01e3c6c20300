"""Three weeks of the world's past, written into a TSDB in one go."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from exporter.demo import servers
from exporter.demo.world import SERVICES, World, series


def into_victoria_metrics(url: str, world: World, services: str) -> None:
    """Import the history of `world`, as if it had been scraped from `services` (HOST:PORT)."""
    servers.import_json_lines(url, _json_lines(world, services), batch=6)
    servers.make_searchable(url)


def into_prometheus(directory: Path, world: World, services: str) -> None:
    """Write the history of `world` as blocks of the Prometheus that will start in `directory`."""
    directory.mkdir(parents=True)
    path = directory / "history.om"
    with path.open("w") as file:
        file.writelines(_openmetrics(world, services))
    servers.create_blocks(path, directory / "data")
    path.unlink()


def _json_lines(world: World, services: str) -> Iterator[bytes]:
    times, counters = world.history()
    stamps = (times * 1000).tolist()
    for service, rows in zip(SERVICES, counters, strict=True):
        for (name, labels), values in zip(series(service), rows, strict=True):
            pairs = dict(re.findall(r'(\w+)="([^"]*)"', labels))
            metric = {"__name__": name, **pairs, "job": "services", "instance": services}
            yield orjson.dumps({"metric": metric, "values": values.tolist(), "timestamps": stamps})


def _openmetrics(world: World, services: str) -> Iterator[str]:
    times, counters = world.history()
    families: dict[str, list[tuple[str, Any]]] = {}
    for service, rows in zip(SERVICES, counters, strict=True):
        for (name, labels), values in zip(series(service), rows, strict=True):
            families.setdefault(name, []).append((labels, values))
    for name, members in families.items():
        yield f"# TYPE {name.removesuffix('_total')} {'counter' if name.endswith('_total') else 'unknown'}\n"
        for labels, values in members:
            start = f'{name}{{{labels},job="services",instance="{services}"}}'
            stamped = zip(times.tolist(), values.tolist(), strict=True)
            yield "".join(f"{start} {value!r} {time}\n" for time, value in stamped)
    yield "# EOF\n"
