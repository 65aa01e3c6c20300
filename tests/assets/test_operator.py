"""Resources for the Prometheus operator: the same content, in the fields that its CRDs have."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from exporter.assets import operator, plain
from exporter.assets.operator import SECRETS, TEMPLATES
from exporter.assets.receivers import Unfit
from exporter.assets.values import Values
from tests.alertmanager.alerts import TEMPLATES as SHIPPED
from tests.assets.test_plain import OWN
from tests.rules.promql import REPOSITORY
from tests.test_alertmanager import amtool

VALUES = dataclasses.replace(OWN, external_labels={}, namespace="observing", labels={"release": "prometheus"})
FIELDS = {
    "": {"apiVersion", "kind", "metadata", "spec", "data", "stringData", "type"},
    "metadata": {"name", "namespace", "labels"},
    "groups": {"name", "rules", "interval"},
    "rules": {"record", "alert", "expr", "for", "labels", "annotations"},
    "monitor": {"selector", "endpoints"},
    "endpoints": {"port", "interval", "honorLabels", "relabelings"},
    "relabelings": {"action", "targetLabel", "replacement", "sourceLabels", "regex"},
}
"""Fields of monitoring.coreos.com/v1 that are used; the operator 0.93 has them all."""

WORST = 262_144
"""What `kubectl apply` keeps in an annotation; larger resources need --server-side."""


@pytest.fixture(scope="module")
def resources() -> dict[str, dict[str, Any]]:
    """Path -> resource."""
    return {path: yaml.safe_load(text) for path, text in operator.files(VALUES).items()}


def of_kind(resources: dict[str, dict[str, Any]], kind: str) -> Iterator[dict[str, Any]]:
    """The resources of that kind."""
    return (it for it in resources.values() if it["kind"] == kind)


def test_every_resource_can_be_applied(resources: dict[str, dict[str, Any]]) -> None:
    """Names are unique and those of DNS, fields are known, namespace and labels are the user's."""
    names = [(it["kind"], it["metadata"]["name"]) for it in resources.values()]
    assert len(set(names)) == len(names)
    for it in resources.values():
        assert set(it) <= FIELDS[""]
        assert set(it["metadata"]) == FIELDS["metadata"]
        assert re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", it["metadata"]["name"])
        assert it["metadata"]["namespace"] == "observing"
        assert it["metadata"]["labels"].items() >= {"release": "prometheus"}.items()
        assert all(isinstance(value, str) for value in it["metadata"]["labels"].values())


def test_rules_are_those_of_the_plain_files(resources: dict[str, dict[str, Any]]) -> None:
    """Every group, with its templates in braces, is the same; fields are those of the CRD."""
    written = {path: it["spec"] for path, it in resources.items() if it["kind"] == "PrometheusRule"}
    wanted = {f"rules/{path.removesuffix('.yml')}.yaml": text for path, text in plain.rules(VALUES).items()}
    assert written == {path: yaml.safe_load(text) for path, text in wanted.items()}
    for group in (group for spec in written.values() for group in spec["groups"]):
        assert set(group) <= FIELDS["groups"]
        assert all(set(rule) <= FIELDS["rules"] for rule in group["rules"])
        assert all(isinstance(it, str) for rule in group["rules"] for it in rule.get("labels", {}).values())
    assert "{{ $labels.app }}" in operator.files(VALUES)["rules/anomaly.yaml"]


def test_the_monitor_finds_the_service_of_the_manifests(resources: dict[str, dict[str, Any]]) -> None:
    """Selector and port are those of deploy/kubernetes, and scores keep the labels of their source."""
    (monitor,) = of_kind(resources, "ServiceMonitor")
    manifests = (REPOSITORY / "deploy" / "kubernetes" / "tidemark.yaml").read_text()
    (service,) = [it for it in yaml.safe_load_all(manifests) if it["kind"] == "Service"]
    assert set(monitor["spec"]) == FIELDS["monitor"]
    assert monitor["spec"]["selector"] == {"matchLabels": service["metadata"]["labels"]}
    (endpoint,) = monitor["spec"]["endpoints"]
    assert set(endpoint) == FIELDS["endpoints"]
    assert endpoint["port"] in {it["name"] for it in service["spec"]["ports"]}
    assert endpoint["honorLabels"] is True


def test_a_target_brings_no_service_of_its_own(resources: dict[str, dict[str, Any]]) -> None:
    """Or scores without a service would count as those of Tidemark; the job is the one in the rules."""
    (monitor,) = of_kind(resources, "ServiceMonitor")
    relabelings = monitor["spec"]["endpoints"][0]["relabelings"]
    assert all(set(it) <= FIELDS["relabelings"] for it in relabelings)
    assert {"action": "replace", "targetLabel": "job", "replacement": "detector"} in relabelings
    (dropped,) = [it["regex"] for it in relabelings if it["action"] == "labeldrop"]
    assert {"service", "namespace", "pod"} <= set(dropped.split("|"))


def test_dashboards_are_what_the_sidecar_looks_for(resources: dict[str, dict[str, Any]]) -> None:
    """Each is in a ConfigMap with its label, unchanged, and small enough for kubectl."""
    found = {}
    for path, it in resources.items():
        if it["kind"] == "ConfigMap":
            assert it["metadata"]["labels"]["grafana_dashboard"] == "1"
            assert len(json.dumps(it)) < WORST, path
            found |= it["data"]
    assert found == plain.dashboards(VALUES)


def test_alertmanager_loads_its_secret(resources: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    """alertmanager.yaml is accepted; templates and keys are where the operator mounts them."""
    (secret,) = of_kind(resources, "Secret")
    text = secret["stringData"]["alertmanager.yaml"]
    content = yaml.safe_load(text)
    assert content["templates"] == [f"{TEMPLATES}/*.tmpl"]
    assert set(secret["stringData"]) == {"alertmanager.yaml", *(it.name for it in SHIPPED.glob("*.tmpl"))}
    assert set(re.findall(r'_file: "(.+)/[\w-]+"', text)) == {SECRETS}
    path = tmp_path / "alertmanager.yml"
    path.write_text(text.replace(TEMPLATES, str(SHIPPED)))
    done = amtool("check-config", str(path))
    assert done.returncode == 0, done.stderr
    assert "1 templates" in done.stdout


def test_external_labels_belong_to_the_prometheus_resource() -> None:
    """They cannot be set from here, and are not dropped without a word."""
    with pytest.raises(Unfit, match="externalLabels of the Prometheus resource"):
        operator.files(OWN)


def test_without_options_it_is_complete() -> None:
    """Defaults give a set that can be applied."""
    assert {yaml.safe_load(it)["kind"] for it in operator.files(Values()).values()} == {
        "ConfigMap",
        "PrometheusRule",
        "Secret",
        "ServiceMonitor",
    }
