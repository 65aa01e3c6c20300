"""The launcher of real servers, and the script that fetches them."""

from __future__ import annotations

import os
import socket
import subprocess
import urllib.request
from pathlib import Path

import pytest

from exporter.demo import servers

FETCH = Path(__file__).parents[2] / "deploy" / "fetch-servers.sh"
ROUTES = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"


def alive(pid: int) -> bool:
    """Whether a process of that id exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.servers
def test_every_program_is_found() -> None:
    """Every program that the demo and the tests need is found."""
    assert all(servers.find(program).is_file() for program in servers.PROGRAMS)


@pytest.mark.servers
def test_a_server_is_ready_inside_and_gone_after(tmp_path: Path) -> None:
    """Within the block the server answers; after it, its process has ended."""
    with servers.alertmanager(tmp_path, ROUTES) as server:
        assert urllib.request.urlopen(f"{server.url}/-/ready", timeout=5).status == 200
        assert alive(server.pid)
    assert not alive(server.pid)


@pytest.mark.servers
def test_a_failing_start_shows_the_log(tmp_path: Path) -> None:
    """A server that ends at once is reported with the end of what it wrote, and leaves no process."""
    with (
        pytest.raises(servers.ServerError, match="field rute not found") as caught,
        servers.alertmanager(tmp_path, "rute: {}"),
    ):
        pass
    assert "ended with exit code 1" in str(caught.value)
    assert str(tmp_path / "alertmanager.log") in str(caught.value)


@pytest.mark.servers
def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    """A taken port is said before anything is started."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(servers.ServerError, match=f"127.0.0.1:{port}: Address already in use"),
            servers.prometheus(tmp_path, port=port),
        ):
            pass
    assert not (tmp_path / "prometheus.log").exists()


@pytest.mark.servers
def test_prometheus_text_is_imported(tmp_path: Path) -> None:
    """Exposition text with timestamps is history of VictoriaMetrics at once."""
    with servers.victoria_metrics(tmp_path) as server:
        servers.import_prometheus_text(server.url, b'a{b="c"} 7 1700000000000\n')
        servers.make_searchable(server.url)
        found = urllib.request.urlopen(f"{server.url}/api/v1/query?query=a&time=1700000000", timeout=5).read()
    assert b'"7"' in found


@pytest.mark.servers
def test_what_promtool_refuses_is_said(tmp_path: Path) -> None:
    """A file that is no OpenMetrics gives promtool's own words."""
    file = tmp_path / "wrong.om"
    file.write_text("no metrics here")
    with pytest.raises(servers.ServerError, match="promtool could not read"):
        servers.create_blocks(file, tmp_path / "data")


@pytest.mark.servers
@pytest.mark.parametrize("options", [[], ["--exporters"]])
def test_fetching_again_does_nothing(options: list[str]) -> None:
    """Where every server is present the script says so, and leaves its directory as it was."""
    unpacked = FETCH.parents[1] / ".servers"
    before = sorted(unpacked.rglob("*"))
    done = subprocess.run([FETCH, *options], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "fetch-servers: all servers are here\n")
    assert sorted(unpacked.rglob("*")) == before


def test_fetching_without_apt_names_the_compose_file(tmp_path: Path) -> None:
    """Where packages cannot be fetched, one line tells what to use instead, with exit code 1."""
    for tool in ("sh", "dirname", "tr", "mkdir", "id"):
        found = next(Path(place) / tool for place in ("/usr/bin", "/bin") if (Path(place) / tool).exists())
        (tmp_path / tool).symlink_to(found)
    done = subprocess.run(
        ["/bin/sh", FETCH, "--force", tmp_path / "new"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "deploy/compose.yaml" in done.stderr
