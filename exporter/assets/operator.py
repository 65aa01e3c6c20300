"""The same files as resources for Kubernetes, as the Prometheus operator and Grafana's sidecar read them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from textwrap import indent
from typing import Any

import yaml

from exporter.assets import plain
from exporter.assets.plain import Files
from exporter.assets.receivers import Desk, Unfit
from exporter.assets.values import Values

SECRETS = "/etc/alertmanager/secrets/tidemark-receivers"
"""Where the operator mounts a Secret of that name, once `spec.secrets` of the Alertmanager lists it."""

TEMPLATES = "/etc/alertmanager/config"
"""Where it mounts what lies beside alertmanager.yaml in the Secret."""

OF_THE_TARGET = "service|namespace|pod|container|endpoint"
"""Labels that the operator gives every target: scores without such a label would take those of Tidemark."""

Resource = dict[str, Any]


def files(values: Values) -> Files:
    """Everything, as it is laid out in the directory; Unfit when a choice cannot be."""
    if values.external_labels:
        raise Unfit("external labels are set by externalLabels of the Prometheus resource, not here")
    return dict(sorted(_files(values)))


def _files(values: Values) -> Iterator[tuple[str, str]]:
    yield "servicemonitor.yaml", _written(_service_monitor(values))
    yield "alertmanager.yaml", _written(_alertmanager(values))
    for name, text in plain.rules(values).items():
        yield f"rules/{name.removesuffix('.yml')}.yaml", _rules(values, name, text)
    for name, text in plain.dashboards(values).items():
        yield f"dashboards/{name.removesuffix('.json')}.yaml", _written(_dashboard(values, name, text))


def _rules(values: Values, name: str, text: str) -> str:
    """A rule file is the `spec` of its resource word for word, comments too."""
    stem = name.removesuffix(".yml").replace("packs/", "pack-")
    head = _written(_head(values, "monitoring.coreos.com/v1", "PrometheusRule", stem))
    return f"{head}spec:\n{indent(text, '  ')}"


def _service_monitor(values: Values) -> Resource:
    endpoint = {
        "port": "http",
        "interval": "30s",
        "honorLabels": True,
        "relabelings": [
            {"action": "replace", "targetLabel": "job", "replacement": values.job},
            {
                "action": "replace",
                "sourceLabels": ["__meta_kubernetes_pod_name"],
                "targetLabel": "instance",
            },
            {"action": "labeldrop", "regex": OF_THE_TARGET},
        ],
    }
    selector = {"matchLabels": {"app.kubernetes.io/name": "tidemark"}}
    head = _head(values, "monitoring.coreos.com/v1", "ServiceMonitor", "")
    return {**head, "spec": {"selector": selector, "endpoints": [endpoint]}}


def _dashboard(values: Values, name: str, text: str) -> Resource:
    stem = f"dashboard-{name.removesuffix('.json')}"
    return {**_head(values, "v1", "ConfigMap", stem, grafana_dashboard="1"), "data": {name: text}}


def _alertmanager(values: Values) -> Resource:
    """The Secret that `spec.configSecret` of an Alertmanager names; it holds names of files, no secrets."""
    desk = values.desk
    if desk.secrets == Desk().secrets:
        desk = dataclasses.replace(desk, secrets=SECRETS)
    text = plain.alertmanager(dataclasses.replace(values, desk=desk))
    content = {
        "alertmanager.yaml": text.replace("  - templates/*.tmpl", f"  - {TEMPLATES}/*.tmpl"),
        **plain.templates(values),
    }
    return {**_head(values, "v1", "Secret", "alertmanager"), "type": "Opaque", "stringData": content}


def _head(values: Values, version: str, kind: str, name: str, **labels: str) -> Resource:
    own = {"app.kubernetes.io/name": "tidemark", **labels, **values.labels}
    metadata = {"name": f"tidemark-{name}" if name else "tidemark", "namespace": values.namespace}
    return {"apiVersion": version, "kind": kind, "metadata": {**metadata, "labels": own}}


class _Blocks(yaml.SafeDumper):
    """Writes texts of several lines as they are read."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Blocks.add_representer(str, _text)


def _written(resource: Resource) -> str:
    return yaml.dump(resource, Dumper=_Blocks, sort_keys=False, allow_unicode=True, width=110)
