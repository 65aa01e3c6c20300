"""The Alertmanager files: they load, and every alert reaches its receiver."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from exporter.demo import servers
from tests.alertmanager.alerts import CONFIG, WEBHOOK, labels_of
from tests.rules.promql import alerts

ROUTES = {
    ("AlertTooFrequent", "info"): "inform",
    ("AlertFlapping", "info"): "inform",
    ("AlertNeverActedOn", "info"): "inform",
    ("ModelTooOld", "warning"): "ticket-ml",
    ("ModelTrainingFailed", "warning"): "ticket-ml",
    ("ModelFalseAlarms", "warning"): "ticket-ml",
    ("TidemarkMemoryGrowing", "warning"): "ticket-platform",
    ("TidemarkStartSlow", "info"): "inform",
    ("TidemarkVersionsDiffer", "info"): "inform",
    ("AnomalyService", "critical"): "page",
    ("AnomalyService", "warning"): "ticket",
    ("AnomalySeries", "info"): "inform",
    ("AnomalyStorm", "critical"): "page",
    ("PatternCascade", "critical"): "page",
    ("PatternUpstream", "info"): "inform",
    ("PatternTrafficCliff", "critical"): "page",
    ("PatternFastRejection", "critical"): "page",
    ("PatternSurgeFailing", "critical"): "page",
    ("PatternErrorsCritical", "critical"): "page",
    ("PatternDatabaseBottleneck", "warning"): "ticket",
    ("PatternDependencySlow", "warning"): "ticket",
    ("PatternSaturation", "warning"): "ticket",
    ("PatternSurgeDegrading", "warning"): "ticket",
    ("PatternErrorsElevated", "warning"): "ticket",
    ("PatternLatencySpike", "warning"): "ticket",
    ("PatternDegradation", "info"): "inform",
    ("PatternFlapping", "info"): "inform",
    ("ForecastLimitNear", "warning"): "ticket",
    ("ForecastLimitImminent", "critical"): "page",
    ("InputQualityLow", "warning"): "ticket-platform",
    ("InputSilent", "warning"): "ticket-platform",
    ("InputServiceSilent", "info"): "inform",
    ("InputImpossible", "info"): "inform",
    ("InputStuck", "info"): "inform",
    ("DriftModerate", "info"): "inform",
    ("DriftSevere", "warning"): "ticket",
    ("DriftShare", "critical"): "page",
    ("DriftShare", "warning"): "ticket",
    ("DriftReferenceInvalid", "critical"): "page-platform",
    ("DriftNotRunning", "warning"): "ticket-platform",
    ("Maintenance", "info"): "nobody",
    ("ModelVolumeLow", "warning"): "ticket-ml",
    ("ModelVolumeVeryLow", "critical"): "page",
    ("ModelVolumeHigh", "warning"): "ticket-ml",
    ("ModelAccuracyLow", "critical"): "page",
    ("ModelAccuracyLow", "warning"): "ticket-ml",
    ("ModelF1Fell", "critical"): "page",
    ("ModelF1Fell", "warning"): "ticket-ml",
    ("ModelBrierHigh", "warning"): "ticket-ml",
    ("ModelGateFailed", "warning"): "ticket-ml",
    ("NodeDown", "critical"): "page-platform",
    ("NodeCpuHigh", "critical"): "page-platform",
    ("NodeCpuHigh", "warning"): "ticket-platform",
    ("NodeScaleOut", "info"): "inform",
    ("NodeMemoryHigh", "critical"): "page-platform",
    ("NodeMemoryHigh", "warning"): "ticket-platform",
    ("NodeDiskFull", "critical"): "page-platform",
    ("NodeDiskFull", "warning"): "ticket-platform",
    ("NodeDiskFillsUp", "critical"): "page-platform",
    ("NodeDiskFillsUp", "warning"): "ticket-platform",
    ("HttpErrorsHigh", "critical"): "page",
    ("HttpErrorsHigh", "warning"): "ticket",
    ("HttpLatencyHigh", "critical"): "page",
    ("HttpLatencyHigh", "warning"): "ticket",
    ("HttpTrafficFell", "warning"): "ticket",
    ("HttpTrafficLow", "warning"): "ticket",
    ("PrometheusTargetsDown", "critical"): "page-platform",
    ("PrometheusTargetsDown", "warning"): "ticket-platform",
    ("PrometheusReloadFailed", "warning"): "ticket-platform",
    ("PrometheusRulesFailing", "warning"): "ticket-platform",
    ("PrometheusRulesLate", "warning"): "ticket-platform",
    ("PrometheusAlertsLost", "critical"): "page-platform",
    ("PrometheusStorageFailing", "warning"): "ticket-platform",
    ("ProbeFailing", "critical"): "page",
    ("ProbeFailing", "warning"): "ticket",
    ("ProbeSlow", "critical"): "page",
    ("ProbeSlow", "warning"): "ticket",
    ("ProbeCertificateExpires", "critical"): "page-platform",
    ("ProbeCertificateExpires", "warning"): "ticket-platform",
    ("KubeDeploymentShort", "critical"): "page-platform",
    ("KubeDeploymentShort", "warning"): "ticket-platform",
    ("KubeRestarting", "warning"): "ticket-platform",
    ("KubeScalerAtMax", "warning"): "ticket-platform",
    ("KubePodsPending", "warning"): "ticket-platform",
    ("KubeNodeNotReady", "critical"): "page-platform",
    ("QueueBacklogHigh", "critical"): "page",
    ("QueueBacklogHigh", "warning"): "ticket",
    ("QueueSlow", "critical"): "page",
    ("QueueSlow", "warning"): "ticket",
    ("QueueStuck", "critical"): "page",
    ("SecurityLoginFailures", "warning"): "ticket-security",
    ("SecurityLoginAttack", "critical"): "page-security",
    ("SecurityThreat", "critical"): "page-security",
    ("SecurityScanFailed", "critical"): "page-security",
    ("FleetSilent", "critical"): "page",
    ("FleetSilent", "warning"): "ticket",
    ("FleetBatteryLow", "warning"): "ticket",
    ("FleetVersionsMixed", "info"): "inform",
    ("ObjectiveErrors", "critical"): "page",
    ("ObjectiveErrors", "warning"): "ticket",
    ("ObjectiveErrorsWithAnomaly", "critical"): "page",
    ("ObjectiveLatency", "critical"): "page",
    ("ObjectiveLatency", "warning"): "ticket",
    ("ObjectiveTraffic", "critical"): "page",
    ("PostgresDown", "critical"): "page-platform",
    ("PostgresConnectionsHigh", "critical"): "page-platform",
    ("PostgresConnectionsHigh", "warning"): "ticket-platform",
    ("PostgresTransactionLong", "critical"): "page-platform",
    ("PostgresTransactionLong", "warning"): "ticket-platform",
    ("PostgresDeadlocks", "warning"): "ticket-platform",
    ("PostgresReplicationLag", "critical"): "page-platform",
    ("PostgresReplicationLag", "warning"): "ticket-platform",
    ("RedisDown", "critical"): "page-platform",
    ("RedisMemoryHigh", "critical"): "page-platform",
    ("RedisMemoryHigh", "warning"): "ticket-platform",
    ("RedisClientsHigh", "critical"): "page-platform",
    ("RedisClientsHigh", "warning"): "ticket-platform",
    ("RedisRefusesClients", "critical"): "page-platform",
    ("RedisMissesHigh", "warning"): "ticket-platform",
    ("TidemarkDown", "critical"): "page-platform",
    ("TidemarkAbsent", "critical"): "page-platform",
    ("TidemarkNoCycle", "critical"): "page-platform",
    ("TidemarkTsdbUnreachable", "critical"): "page-platform",
    ("TidemarkTsdbCircuitOpen", "warning"): "ticket-platform",
    ("TidemarkQueryFailing", "warning"): "ticket-platform",
    ("TidemarkQueryStale", "warning"): "ticket-platform",
    ("TidemarkSeriesDropped", "warning"): "ticket-platform",
    ("TidemarkCycleSlow", "warning"): "ticket-platform",
    ("TidemarkSnapshotTooBig", "warning"): "ticket-platform",
    ("TidemarkConfigReloadFailed", "warning"): "ticket-platform",
    ("TidemarkStateDamaged", "warning"): "ticket-platform",
    ("TidemarkStateUnsaved", "warning"): "ticket-platform",
    ("TidemarkStateRebuilt", "info"): "inform",
    ("TidemarkAlertmanagerUnreachable", "warning"): "ticket-platform",
    ("TidemarkIncidentsUnread", "warning"): "ticket-platform",
    ("TidemarkRestarting", "warning"): "ticket-platform",
    ("TidemarkWatchdog", "info"): "deadman",
}


def amtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run amtool, which checks files without a server."""
    command = [str(servers.find("amtool")), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_alertmanager_loads_the_file() -> None:
    """amtool accepts the file and finds its templates."""
    done = amtool("check-config", str(CONFIG))
    assert done.returncode == 0, done.stderr
    assert "1 templates" in done.stdout


@pytest.mark.parametrize(("alert", "severity"), ROUTES)
def test_each_alert_reaches_its_receiver(alert: str, severity: str) -> None:
    """The routing table holds, and each alert has exactly one receiver."""
    labels = [f"{name}={value}" for name, value in labels_of(alert, severity).items()]
    done = amtool("config", "routes", "test", f"--config.file={CONFIG}", *labels)
    assert done.stdout.split() == [ROUTES[alert, severity]]


def test_the_routing_table_has_every_alert() -> None:
    """A new alert without a row here would reach nobody knows whom."""
    assert {alert for alert, _ in ROUTES} == set(alerts())


@pytest.mark.parametrize(
    ("labels", "wanted"),
    [
        (["alertname=Other"], "ticket"),
        (["alertname=Other", "priority=P1", "team=security"], "page-security"),
        (["alertname=Other", "priority=P2", "team=security"], "page-security"),
        (["alertname=Other", "priority=P3", "team=security"], "ticket-security"),
        (["alertname=Other", "priority=P2", "team=ml"], "page"),
        (["alertname=Other", "priority=P3", "team=ml"], "ticket-ml"),
        (["alertname=Other", "priority=P4", "team=ml"], "inform"),
        (["alertname=Other", "priority=P1", "team=other"], "page"),
    ],
)
def test_what_is_not_ours_still_reaches_someone(labels: list[str], wanted: str) -> None:
    """Alerts of other rules and of teams without a route of their own are not lost."""
    done = amtool("config", "routes", "test", f"--config.file={CONFIG}", *labels)
    assert done.stdout.split() == [wanted]


def receivers_of(route: dict[str, Any]) -> Iterator[str]:
    """Every receiver that a route or one below it names."""
    yield route["receiver"]
    for it in route.get("routes", ()):
        yield from receivers_of(it)


def test_every_receiver_is_used() -> None:
    """No receiver is left over, and those that tell somebody are webhooks, until channels are chosen."""
    content = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    assert {it["name"] for it in content["receivers"]} == set(receivers_of(content["route"]))
    urls = [hook["url"] for it in content["receivers"] for hook in it.get("webhook_configs", ())]
    assert all(url.startswith(WEBHOOK) for url in urls)
    assert [it for it in content["receivers"] if "webhook_configs" not in it] == [{"name": "nobody"}]


def test_info_waits_for_office_hours_and_pages_do_not() -> None:
    """Only P4 is bound to a time interval."""
    routes = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))["route"]["routes"]
    bound = [it["matchers"] for it in routes if "active_time_intervals" in it]
    assert bound == [['priority = "P4"']]
