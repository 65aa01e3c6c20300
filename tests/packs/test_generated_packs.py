"""Packs whose source cannot be started here: VictoriaMetrics with generated metrics of the same names."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from itertools import chain

import numpy as np
import pytest

from exporter.demo import servers
from exporter.packs import library
from exporter.tsdb.client import Client
from exporter.tsdb.settings import Settings
from tests.rules.promql import RULES, groups

pytestmark = pytest.mark.servers

POD = {"namespace": "shop", "pod": "checkout-1", "container": "app"}
DEPLOYMENT = {"namespace": "shop", "deployment": "checkout"}
SCALER = {"namespace": "shop", "horizontalpodautoscaler": "checkout"}
READY = {"node": "n1", "condition": "Ready", "status": "true"}
CPU, MEMORY = {"resource": "cpu"}, {"resource": "memory"}
READER = {"topic": "orders", "consumergroup": "billing", "partition": "0"}
LOGIN = {"service": "login"}
DEVICE = {"fleet": "meters", "device": "m1"}
Generated = tuple[str, dict[str, str], float, float]

GENERATED: dict[str, list[Generated]] = {
    "kube-state": [
        ("kube_deployment_spec_replicas", DEPLOYMENT, 4, 0),
        ("kube_deployment_status_replicas_available", DEPLOYMENT, 1, 0),
        ("kube_horizontalpodautoscaler_spec_max_replicas", SCALER, 10, 0),
        ("kube_horizontalpodautoscaler_status_current_replicas", SCALER, 5, 0),
        ("kube_node_status_allocatable", {"node": "n1", **CPU}, 8, 0),
        ("kube_node_status_allocatable", {"node": "n1", **MEMORY}, 1e10, 0),
        ("kube_node_status_condition", READY, 1, 0),
        ("kube_pod_container_resource_requests", POD | CPU, 2, 0),
        ("kube_pod_container_resource_requests", POD | MEMORY, 1e9, 0),
        ("kube_pod_container_status_restarts_total", POD, 0, 0.001),
        ("kube_pod_status_phase", POD | {"phase": "Running"}, 1, 0),
        ("kube_pod_status_phase", POD | {"phase": "Pending"}, 0, 0),
    ],
    "iot-fleet": [
        ("device_last_seen_timestamp_seconds", DEVICE, 0, 0),
        ("device_messages_total", DEVICE, 0, 0.1),
        ("device_battery_ratio", DEVICE, 0.5, 0),
        ("device_temperature_celsius", DEVICE, 20, 0),
        ("device_info", DEVICE | {"version": "1"}, 1, 0),
    ],
    "queue": [
        ("kafka_consumergroup_lag", READER, 50_000, 0),
        ("kafka_consumergroup_current_offset", READER, 0, 10),
        ("kafka_topic_partition_current_offset", {"topic": "orders", "partition": "0"}, 0, 11),
    ],
    "security": [
        ("login_attempts_total", LOGIN | {"result": "success"}, 0, 1),
        ("login_attempts_total", LOGIN | {"result": "failure"}, 0, 0.5),
        ("security_threats_total", LOGIN, 0, 0.01),
        ("security_scan_failures_total", LOGIN, 0, 0.01),
    ],
}
"""Pack -> name, labels, value two hours ago, and growth per second of each series."""
THRESHOLDS: list[Generated] = [
    ("fleet:silence_seconds:default", {"severity": "warning"}, 900, 0),
    ("fleet:battery_level:default", {"severity": "warning"}, 0.2, 0),
]
"""What the rules record first."""
VALUES = {
    "kube_deployment_available": 0.25,
    "kube_pods_running": 1,
    "kube_scaler_used": 0.5,
    "kube_nodes_not_ready": 0,
    "kube_cpu_requested": 0.25,
    "kube_memory_requested": 0.1,
    "fleet_devices_silent": 1,
    "fleet_messages": 0.1,
    "device_messages": 0.1,
    "device_battery": 0.5,
    "fleet_versions": 1,
    "queue_backlog": 50_000,
    "queue_wait_seconds": 5_000,
    "queue_done_rate": 10,
    "queue_arrival_rate": 11,
    "security_login_rate": 1.5,
    "security_login_failure_rate": 0.5,
    "security_login_failure_ratio": 1 / 3,
    "security_threats_per_hour": 36,
}


def lines() -> Iterator[bytes]:
    """Two hours of every series until ten minutes from now, as VictoriaMetrics imports them."""
    now = int(time.time())
    times = np.arange(now - 7_200, now + 600, 15)
    for name, labels, start, growth in chain(*GENERATED.values(), THRESHOLDS):
        values = (start + growth * (times - times[0])).tolist()
        metric = {"__name__": name, "job": "generated", "instance": "a:80", **labels}
        yield json.dumps({"metric": metric, "values": values, "timestamps": (times * 1000).tolist()}).encode()


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A client of a real VictoriaMetrics with all of them."""
    with servers.victoria_metrics(tmp_path_factory.mktemp("generated")) as server:
        servers.import_json_lines(server.url, lines())
        servers.make_searchable(server.url)
        with Client(Settings(url=server.url)) as client:
            yield client


@pytest.mark.parametrize("name", GENERATED)
def test_every_query_has_its_value(client: Client, name: str) -> None:
    """Each expression returns one series for the one thing that there is, with the value that follows."""
    for query in library.pack(name).queries({}):
        vector = client.instant(query["expr"], time.time(), 60)
        assert len(vector.keys) == 1, query["name"]
        if query["name"] in VALUES:
            assert vector.values[0] == pytest.approx(VALUES[query["name"]], rel=0.02)


@pytest.mark.parametrize("name", GENERATED)
def test_the_tsdb_has_the_metrics_of_the_pack(client: Client, name: str) -> None:
    """What was generated is what the pack says that it reads, so `tidemark check` would name it."""
    pack = library.pack(name)
    generated = {metric for metric, *_ in GENERATED[name]}
    assert set(pack.metrics({})) <= generated <= {*pack.metrics({}), *pack.further({})}
    assert generated <= set(client.metrics(time.time() - 3_600, time.time()))


@pytest.mark.parametrize("name", GENERATED)
def test_values_of_the_rules_are_recorded_alike(client: Client, name: str) -> None:
    """VictoriaMetrics evaluates what the rules record from raw metrics, to one series of each."""
    rules = [
        it for group in groups(RULES / "packs" / f"{name}.yml") for it in group["rules"] if "record" in it
    ]
    raw = {metric for metric, *_ in GENERATED[name]}
    for rule in (it for it in rules if any(metric in it["expr"] for metric in raw)):
        assert len(client.instant(rule["expr"], time.time(), 60).keys) == 1, rule["record"]


def test_a_threshold_gives_its_severity_on_victoria_metrics(client: Client) -> None:
    """What the alerts of packs do, a comparison that takes a label over, keeps the value that is compared."""
    expr = """
        sum by (topic, consumergroup) (kafka_consumergroup_lag)
          > on (consumergroup) group_left (severity)
            label_replace(group by (consumergroup) (kafka_consumergroup_lag), "severity", "critical", "", "")
    """
    vector = client.instant(expr, time.time(), 60)
    assert vector.values.tolist() == [50_000]
    assert json.loads(vector.keys[0])["severity"] == "critical"
