"""Starts the real Prometheus, VictoriaMetrics and Alertmanager on loopback, and fills them with history."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = {
    "prometheus": ("prometheus",),
    "promtool": ("promtool",),
    "alertmanager": ("prometheus-alertmanager", "alertmanager"),
    "amtool": ("amtool",),
    "victoria-metrics": ("victoria-metrics", "victoria-metrics-prod"),
    "vmalert": ("vmalert", "vmalert-prod"),
}
REPOSITORY = Path(__file__).resolve().parents[2]
START_SECONDS = 30.0
STOP_SECONDS = 15.0
POLL_SECONDS = 0.05

_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class ServerError(RuntimeError):
    """A server is missing, did not start, or refused what it was given; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: where it listens, its process id, and the file that holds its log."""

    name: str
    url: str
    pid: int
    log: Path


def find(program: str) -> Path:
    """Where a program of `PROGRAMS` is: on PATH, in /usr/bin or /usr/sbin, or unpacked in `.servers/`.

    Raises `ServerError` naming the script that fetches it.
    """
    unpacked = [str(place / ".servers/usr/bin") for place in (REPOSITORY, Path.cwd())]
    places = os.pathsep.join([os.environ.get("PATH", ""), "/usr/bin", "/usr/sbin", *unpacked])
    for name in PROGRAMS[program]:
        if found := shutil.which(name, path=places):
            return Path(found)
    raise ServerError(
        f"no {program} on this machine: run deploy/fetch-servers.sh, or use deploy/compose.yaml"
    )


def free_port() -> int:
    """A TCP port of 127.0.0.1 on which nothing listens at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def prometheus(
    directory: Path, config: str | Path = "", port: int | None = None, extra: Sequence[str] = ()
) -> Iterator[Server]:
    """A Prometheus with its data in `directory`/data, kept for ten years; `config` is a file or its text."""
    port = port or free_port()
    options = [
        f"--config.file={_config_file(directory, 'prometheus.yml', config)}",
        f"--storage.tsdb.path={directory / 'data'}",
        "--storage.tsdb.retention.time=10y",
        f"--web.listen-address=127.0.0.1:{port}",
        "--web.enable-lifecycle",
    ]
    with _running("prometheus", directory, port, "/-/ready", [*options, *extra]) as server:
        yield server


@contextmanager
def victoria_metrics(directory: Path, port: int | None = None, extra: Sequence[str] = ()) -> Iterator[Server]:
    """A single-node VictoriaMetrics with its data in `directory`/data, kept for ten years."""
    port = port or free_port()
    options = [
        f"-storageDataPath={directory / 'data'}",
        "-retentionPeriod=10y",
        f"-httpListenAddr=127.0.0.1:{port}",
    ]
    with _running("victoria-metrics", directory, port, "/health", [*options, *extra]) as server:
        yield server


@contextmanager
def alertmanager(
    directory: Path, config: str | Path, port: int | None = None, extra: Sequence[str] = ()
) -> Iterator[Server]:
    """A single Alertmanager with its state in `directory`/data; `config` is a file or its text."""
    port = port or free_port()
    options = [
        f"--config.file={_config_file(directory, 'alertmanager.yml', config)}",
        f"--storage.path={directory / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    with _running("alertmanager", directory, port, "/-/ready", [*options, *extra]) as server:
        yield server


def import_json_lines(url: str, lines: Iterable[bytes], batch: int = 500) -> None:
    """Back-fill VictoriaMetrics from lines of `{"metric":{...},"values":[...],"timestamps":[ms,...]}`.

    Call `make_searchable` afterwards.
    """
    pending: list[bytes] = []
    for line in lines:
        pending.append(line)
        if len(pending) == batch:
            _post(f"{url}/api/v1/import", b"\n".join(pending))
            pending = []
    if pending:
        _post(f"{url}/api/v1/import", b"\n".join(pending))


def import_prometheus_text(url: str, text: bytes) -> None:
    """Back-fill VictoriaMetrics from exposition text whose lines end in a timestamp in milliseconds."""
    _post(f"{url}/api/v1/import/prometheus", text)


def make_searchable(url: str) -> None:
    """Have VictoriaMetrics show what was imported at once, and forget answers it cached before."""
    _get(f"{url}/internal/force_flush")
    _get(f"{url}/internal/resetRollupResultCache")


def create_blocks(openmetrics: Path, data: Path) -> None:
    """Turn an OpenMetrics file (timestamps in seconds, `# EOF` last) into blocks of a Prometheus.

    `data` is its data directory; do so before it starts. Raises `ServerError` with promtool's own words.
    """
    data.mkdir(parents=True, exist_ok=True)
    inputs = [os.fspath(openmetrics), os.fspath(data)]
    # promtool reads the whole file once per block, so blocks are made as long as the history
    options = ["--max-block-duration=87600h", "-q"]
    command = [os.fspath(find("promtool")), "tsdb", "create-blocks-from", *options, "openmetrics", *inputs]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ServerError(f"promtool could not read {openmetrics}: {_last_lines(done.stderr)}")


def _config_file(directory: Path, name: str, config: str | Path) -> Path:
    if isinstance(config, Path):
        return config
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / name
    path.write_text(config, encoding="utf-8")
    return path


@contextmanager
def _running(
    program: str, directory: Path, port: int, ready_path: str, options: Sequence[str]
) -> Iterator[Server]:
    binary = find(program)
    _require_free(program, port)
    directory.mkdir(parents=True, exist_ok=True)
    log = directory / f"{program}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [str(binary), *options],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    server = Server(program, f"http://127.0.0.1:{port}", process.pid, log)
    try:
        _wait_until_ready(server, process, ready_path)
        yield server
    finally:
        _stop(process)


def _require_free(program: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise ServerError(f"{program} cannot listen on 127.0.0.1:{port}: {error.strerror}") from None


def _wait_until_ready(server: Server, process: subprocess.Popen[bytes], ready_path: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None:
        if _answers(server.url + ready_path):
            return
        if time.monotonic() > deadline:
            raise ServerError(_start_failure(server, f"was not ready after {START_SECONDS:.0f} s"))
        time.sleep(POLL_SECONDS)
    raise ServerError(_start_failure(server, f"ended with exit code {process.returncode} at start"))


def _start_failure(server: Server, what: str) -> str:
    log = _last_lines(server.log.read_text(encoding="utf-8", errors="replace"))
    return f"{server.name} on {server.url} {what}; the end of {server.log}:\n{log}"


def _answers(url: str) -> bool:
    try:
        _get(url)
    except (OSError, ServerError):
        return False
    return True


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _get(url: str) -> bytes:
    return _send(urllib.request.Request(url))


def _post(url: str, body: bytes) -> bytes:
    return _send(urllib.request.Request(url, data=body, method="POST"))


def _send(request: urllib.request.Request) -> bytes:
    try:
        with _direct.open(request, timeout=START_SECONDS) as response:
            return bytes(response.read())
    except urllib.error.HTTPError as error:
        with error:
            words = error.read().decode(errors="replace")
        raise ServerError(f"{request.full_url} answered {error.code}: {_last_lines(words)}") from None


def _last_lines(text: str, count: int = 8) -> str:
    return "\n".join(text.strip().splitlines()[-count:])
