"""The metrics about itself."""

from prometheus_client.parser import text_string_to_metric_families

from exporter.metrics.own import SELF
from exporter.metrics.telemetry import Telemetry


def families(telemetry: Telemetry) -> dict[str, list[dict[str, str]]]:
    """The label sets of every family that is rendered."""
    parsed = text_string_to_metric_families(telemetry.render().decode())
    return {family.name: [sample.labels for sample in family.samples] for family in parsed}


def test_every_family_of_the_catalogue_is_rendered() -> None:
    """Help and type of each self metric stand in the first scrape, before anything happened."""
    text = Telemetry().render().decode()
    assert all(f"# HELP {family.name} " in text for family in SELF)


def test_process_metrics_are_there() -> None:
    """Memory, CPU and start time come from the client library."""
    assert "process_resident_memory_bytes" in families(Telemetry())


def test_a_removed_query_leaves_nothing_behind() -> None:
    """After a reload that drops a query, no series speaks of it."""
    telemetry = Telemetry()
    telemetry.set("query_success", 1, query="gone")
    telemetry.set("query_series", 3, query="gone", state="scored")
    telemetry.count("query_failures_total", query="gone", reason="timeout")
    telemetry.set("query_success", 1, query="stays")
    telemetry.forget_query("gone")
    text = telemetry.render().decode()
    assert "gone" not in text
    assert 'tidemark_query_success{query="stays"} 1.0' in text


def test_an_info_metric_has_one_series() -> None:
    """The hash of the configuration in use replaces the one before it."""
    telemetry = Telemetry()
    telemetry.replace("config_info", sha256="one")
    telemetry.replace("config_info", sha256="two")
    assert families(telemetry)["tidemark_config_info"] == [{"sha256": "two"}]


def test_no_creation_timestamps_are_exposed() -> None:
    """`_created` series would double the counters without being asked for."""
    telemetry = Telemetry()
    telemetry.count("tsdb_requests_total", code="200")
    assert b"_created" not in telemetry.render()
