"""The files for servers that people start themselves: Prometheus or vmalert, Alertmanager, Grafana."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from exporter.assets.receivers import composed
from exporter.assets.shipped import shipped
from exporter.assets.values import Values
from exporter.packs import library

PROMETHEUS = """\
# The scrape job and the rules, complete: take over what your own Prometheus does not have yet.
global:
  scrape_interval: 30s
  evaluation_interval: 30s
{external}
rule_files:
  - rules/*.yml
  - rules/packs/*.yml
  - rules/teams/*.yml

alerting:
  alertmanagers:
    - {{scheme: {scheme}, path_prefix: {prefix}, static_configs: [{{targets: [{alertmanager}]}}]}}

scrape_configs:
  - job_name: {job}
    honor_labels: true
    static_configs: [{{targets: [{target}]}}]
"""

Files = dict[str, str]
"""Path below the directory -> text."""


def rules(values: Values) -> Files:
    """The rule files, those of the chosen packs only."""
    root = shipped("rules")
    found = {path.name: values.in_rules(_read(path)) for path in sorted(root.glob("*.yml"))}
    for path in sorted((root / "packs").glob("*.yml")):
        if path.stem in values.packs:
            found[f"packs/{path.name}"] = values.in_pack(path.stem, _read(path))
    return found


def dashboards(values: Values) -> Files:
    """The dashboards, those of the chosen packs only."""
    left_out = set(library.names()) - set(values.packs)
    paths = sorted((shipped("grafana") / "dashboards").glob("*.json"))
    return {
        path.name: values.in_dashboard(path.stem, _read(path)) for path in paths if path.stem not in left_out
    }


def alertmanager(values: Values) -> str:
    """alertmanager.yml with the chosen receivers; Unfit when a choice cannot be."""
    text = values.in_alertmanager(_read(shipped("alertmanager") / "alertmanager.yml"))
    return composed(text, values.desk)


def templates(values: Values) -> Files:
    """The templates of notifications."""
    paths = sorted((shipped("alertmanager") / "templates").glob("*.tmpl"))
    return {path.name: values.in_labels(_read(path)) for path in paths}


def files(values: Values) -> Files:
    """Everything, as it is laid out in the directory; Unfit when a choice cannot be."""
    return dict(sorted(_files(values)))


def _files(values: Values) -> Iterator[tuple[str, str]]:
    yield "prometheus.yml", _prometheus(values)
    yield from ((f"rules/{name}", text) for name, text in rules(values).items())
    yield "alertmanager/alertmanager.yml", alertmanager(values)
    yield from ((f"alertmanager/templates/{name}", text) for name, text in templates(values).items())
    yield from ((f"grafana/dashboards/{name}", text) for name, text in dashboards(values).items())
    root = shipped("grafana")
    for path in sorted((root / "provisioning").rglob("*.yml")):
        yield f"grafana/{path.relative_to(root).as_posix()}", values.in_provisioning(_read(path))


def _prometheus(values: Values) -> str:
    alertmanager = urlsplit(values.alertmanager)
    external = f"  external_labels: {json.dumps(values.external_labels)}\n" if values.external_labels else ""
    return PROMETHEUS.format(
        external=external,
        scheme=alertmanager.scheme,
        prefix=json.dumps(alertmanager.path or "/"),
        alertmanager=json.dumps(alertmanager.netloc),
        job=json.dumps(values.job),
        target=json.dumps(values.target),
    )


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")
