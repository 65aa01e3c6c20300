"""What mutes what, in a running Alertmanager with the shipped file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from exporter.demo import servers
from tests.alertmanager.alerts import CONFIG, alert_of, post, shown

PAGE = "AnomalyService critical service=a"
WARNING = "AnomalyService warning service=a"
SERIES = "AnomalySeries info query=q"

MUTED = {
    "detector down": ("TidemarkDown critical", PAGE),
    "detector absent": ("TidemarkAbsent critical", WARNING),
    "no cycle": ("TidemarkNoCycle critical", SERIES),
    "TSDB unreachable": ("TidemarkTsdbUnreachable critical", PAGE),
    "broken service and its errors": (
        "ObjectiveErrorsWithAnomaly critical service=a",
        "ObjectiveErrors critical service=a",
    ),
    "broken service and its page": ("ObjectiveErrorsWithAnomaly critical service=a", PAGE),
    "slow service and its ticket": (
        "ObjectiveLatency critical service=a",
        "ObjectiveLatency warning service=a",
    ),
    "maintenance and an objective": ("Maintenance info service=a", "ObjectiveErrors critical service=a"),
    "strange upstream and its page": ("PatternUpstream info service=a root=b", PAGE),
    "strange upstream and its pattern": (
        "PatternUpstream info service=a root=b",
        "PatternTrafficCliff critical service=a",
    ),
    "critical pattern and a lesser one": (
        "PatternFastRejection critical service=a",
        "PatternErrorsElevated warning service=a",
    ),
    "storm and a pattern": ("AnomalyStorm critical", "PatternCascade critical service=a"),
    "detector down and a pattern": ("TidemarkDown critical", "PatternTrafficCliff critical service=a"),
    "broken service and its pattern": (
        "ObjectiveErrorsWithAnomaly critical service=a",
        "PatternErrorsCritical critical service=a",
    ),
    "objective and the pack's": ("ObjectiveErrors warning service=a", "HttpErrorsHigh warning service=a"),
    "storm and a page": ("AnomalyStorm critical", PAGE),
    "storm and a warning": ("AnomalyStorm critical", WARNING),
    "storm and a series": ("AnomalyStorm critical", SERIES),
    "storm and a drifting service": ("AnomalyStorm critical", "DriftShare critical service=a"),
    "detector down and a storm": ("TidemarkDown critical", "AnomalyStorm critical"),
    "failing query and its series": ("TidemarkQueryFailing warning query=q", SERIES),
    "stale query and its series": ("TidemarkQueryStale warning query=q", SERIES),
    "silent query and its series": ("InputSilent warning query=q", SERIES),
    "silent query and its stuck series": ("InputSilent warning query=q", "InputStuck info query=q"),
    "TSDB unreachable and silent queries": (
        "TidemarkTsdbUnreachable critical",
        "InputSilent warning query=q",
    ),
    "service and its series": (PAGE, "AnomalySeries info service=a"),
    "service warning and its series": (WARNING, "AnomalySeries info service=a"),
    "critical and its warning": (PAGE, WARNING),
    "detector down and drift": ("TidemarkDown critical", "DriftSevere warning query=q"),
    "stale query and its drift": ("TidemarkQueryStale warning query=q", "DriftNotRunning warning query=q"),
    "drifting service and its series": (
        "DriftShare critical service=a",
        "DriftSevere warning service=a query=q",
    ),
    "severe and moderate drift": (
        "DriftSevere warning service=a query=q",
        "DriftModerate info service=a query=q",
    ),
    "severe and moderate drift without a service": (
        "DriftSevere warning query=q",
        "DriftModerate info query=q",
    ),
    "poor input and its drift": ("InputQualityLow warning query=q", "DriftSevere warning service=a query=q"),
    "invalid reference and its silence": (
        "DriftReferenceInvalid critical query=q",
        "DriftNotRunning warning query=q",
    ),
    "maintenance and the page of its service": ("Maintenance info service=a", PAGE),
    "maintenance and its service's silence": (
        "Maintenance info service=a",
        "InputServiceSilent info service=a query=q",
    ),
    "maintenance of a query and its series": (
        "Maintenance info query=q",
        "AnomalySeries info service=a query=q",
    ),
    "maintenance and drift": ("Maintenance info service=a", "DriftSevere warning service=a query=q"),
    "maintenance of a query and its silence": ("Maintenance info query=q", "InputSilent warning query=q"),
    "a full file system and its warning": (
        "NodeDiskFull critical instance=x mountpoint=/",
        "NodeDiskFull warning instance=x mountpoint=/",
    ),
    "a model that is often wrong and its warning": (
        "ModelAccuracyLow critical service=a",
        "ModelAccuracyLow warning service=a",
    ),
    "an attack and its failed logins": (
        "SecurityLoginAttack critical service=a",
        "SecurityLoginFailures warning service=a",
    ),
    "TSDB unreachable and what follows": (
        "TidemarkTsdbUnreachable critical instance=x",
        "TidemarkQueryFailing warning instance=x",
    ),
}
HEARD = {
    "a full file system and another": (
        "NodeDiskFull critical instance=x mountpoint=/",
        "NodeDiskFull warning instance=x mountpoint=/data",
    ),
    "a model that is often wrong and the F1 score of it": (
        "ModelAccuracyLow critical service=a",
        "ModelF1Fell warning service=a",
    ),
    "a full file system and the memory of its machine": (
        "NodeDiskFull critical instance=x mountpoint=/",
        "NodeMemoryHigh warning instance=x",
    ),
    "maintenance and an invalid reference": (
        "Maintenance info query=q",
        "DriftReferenceInvalid critical query=q",
    ),
    "maintenance and another's page": ("Maintenance info service=b", PAGE),
    "maintenance and a series without service": ("Maintenance info service=a", SERIES),
    "maintenance of a query and a service": ("Maintenance info query=q", PAGE),
    "maintenance and a full disk": (
        "Maintenance info service=a",
        "ForecastLimitImminent critical service=a query=q",
    ),
    "maintenance and the detector": ("Maintenance info service=a", "TidemarkDown critical"),
    "broken service and its latency": (
        "ObjectiveErrorsWithAnomaly critical service=a",
        "ObjectiveLatency critical service=a",
    ),
    "broken service and another's page": ("ObjectiveErrorsWithAnomaly critical service=b", PAGE),
    "slow service and its failures": (
        "ObjectiveLatency critical service=a",
        "ObjectiveErrors warning service=a",
    ),
    "strange upstream and an objective": (
        "PatternUpstream info service=a root=b",
        "ObjectiveErrors critical service=a",
    ),
    "strange upstream and a page of P1": ("PatternUpstream info service=a root=b", f"{PAGE} priority=P1"),
    "strange upstream and its root": (
        "PatternUpstream info service=a root=b",
        "PatternCascade critical service=b",
    ),
    "root and its page": ("PatternCascade critical service=a", PAGE),
    "critical pattern and another service's": (
        "PatternFastRejection critical service=a",
        "PatternErrorsElevated warning service=b",
    ),
    "storm and an objective": ("AnomalyStorm critical", "ObjectiveTraffic critical service=a"),
    "storm and a broken service": ("AnomalyStorm critical", "ObjectiveErrorsWithAnomaly critical service=a"),
    "detector down and an objective": ("TidemarkDown critical", "ObjectiveErrors critical service=a"),
    "storm and a page of P1": ("AnomalyStorm critical", f"{PAGE} priority=P1"),
    "storm and a full disk": ("AnomalyStorm critical", "ForecastLimitImminent critical service=a query=q"),
    "storm and a silent model": ("AnomalyStorm critical", "ModelVolumeVeryLow critical service=a"),
    "storm and silent input": ("AnomalyStorm critical", "InputSilent warning query=q"),
    "storm and an invalid reference": ("AnomalyStorm critical", "DriftReferenceInvalid critical query=q"),
    "maintenance and a storm": ("Maintenance info service=a", "AnomalyStorm critical"),
    "slow cycle": ("TidemarkCycleSlow warning", PAGE),
    "watchdog": ("TidemarkWatchdog info", PAGE),
    "detector down and what it has no part in": (
        "TidemarkDown critical",
        "ModelVolumeVeryLow critical service=a",
    ),
    "failing query and another series": (
        "TidemarkQueryFailing warning query=q",
        "AnomalySeries info query=r",
    ),
    "silent query and a poor one": ("InputSilent warning query=q", "InputQualityLow warning query=r"),
    "failing query and a service": ("TidemarkQueryFailing warning query=q", PAGE),
    "service and another's series": (PAGE, "AnomalySeries info service=b"),
    "service and a series without one": (PAGE, SERIES),
    "critical and another's warning": (PAGE, "AnomalyService warning service=b"),
    "drifting service and its page": ("DriftShare critical service=a", PAGE),
    "drifting service and another's series": (
        "DriftShare warning service=a",
        "DriftSevere warning service=b query=q",
    ),
    "severe drift and another query's": (
        "DriftSevere warning service=a query=q",
        "DriftModerate info service=a query=r",
    ),
    "poor input and another query's drift": (
        "InputQualityLow warning query=q",
        "DriftSevere warning service=a query=r",
    ),
    "failing query and its drift": ("TidemarkQueryFailing warning query=q", "DriftSevere warning query=q"),
    "TSDB of another instance": (
        "TidemarkTsdbUnreachable critical instance=x",
        "TidemarkQueryFailing warning instance=y",
    ),
}
ROWS = [
    (name, *pair, muted) for table, muted in ((MUTED, True), (HEARD, False)) for name, pair in table.items()
]

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Alertmanager with the shipped file."""
    with servers.alertmanager(tmp_path_factory.mktemp("alertmanager"), CONFIG) as server:
        yield server.url


@pytest.mark.parametrize(("cluster", "source", "target", "muted"), ROWS, ids=[it[0] for it in ROWS])
def test_inhibition(alertmanager: str, cluster: str, source: str, target: str, muted: bool) -> None:
    """While the source fires, the target is muted exactly when the tables say so; the source never is."""
    sent = [alert_of(source, cluster), alert_of(target, cluster)]
    post(alertmanager, *sent)
    here = [it for it in shown(alertmanager) if it["labels"]["cluster"] == cluster]
    inhibited = {frozenset(it["labels"].items()): bool(it["status"]["inhibitedBy"]) for it in here}
    assert [inhibited[frozenset(it["labels"].items())] for it in sent] == [False, muted]


def test_inhibition_stays_within_its_cluster(alertmanager: str) -> None:
    """A dead detector of one cluster does not mute the pages of another."""
    post(alertmanager, alert_of("TidemarkDown critical", "one"), alert_of(PAGE, "two"))
    (page,) = [it for it in shown(alertmanager) if it["labels"]["cluster"] == "two"]
    assert not page["status"]["inhibitedBy"]
