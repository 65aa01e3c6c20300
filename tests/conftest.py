"""Real servers on loopback, one of each per test session, with the same back-filled history."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from exporter.demo import servers
from tests.tsdb.history import History, recent_history

# These machines are shared and noisy: a slow example is no failure
settings.register_profile("shared-machine", deadline=None)
settings.load_profile("shared-machine")


@pytest.fixture(scope="session")
def history() -> History:
    """What the servers of `prometheus_url` and `victoria_metrics_url` know."""
    return recent_history()


@pytest.fixture(scope="session")
def prometheus_url(tmp_path_factory: pytest.TempPathFactory, history: History) -> Iterator[str]:
    """A real Prometheus that holds `history`; without one the test fails."""
    directory = tmp_path_factory.mktemp("prometheus")
    servers.create_blocks(history.write_openmetrics(directory / "history.om"), directory / "data")
    with servers.prometheus(directory) as server:
        yield server.url


@pytest.fixture(scope="session")
def victoria_metrics_url(tmp_path_factory: pytest.TempPathFactory, history: History) -> Iterator[str]:
    """A real VictoriaMetrics that holds `history`; without one the test fails."""
    with servers.victoria_metrics(tmp_path_factory.mktemp("victoria-metrics")) as server:
        servers.import_json_lines(server.url, history.json_lines())
        servers.make_searchable(server.url)
        yield server.url


@pytest.fixture(params=["prometheus", "victoria_metrics"])
def tsdb_url(request: pytest.FixtureRequest) -> str:
    """Each of the two real servers in turn."""
    return str(request.getfixturevalue(f"{request.param}_url"))
