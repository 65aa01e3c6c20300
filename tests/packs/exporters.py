"""Starts real exporters on loopback, and the Redis, PostgreSQL and web server that they look at."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from exporter.demo.servers import REPOSITORY, free_port
from tests.web.serving import make_certificates, tls_section, write

UNPACKED = REPOSITORY / ".servers"
SECONDS = 20.0
NOBODY = 65534
BLACKBOX = """
modules:
  web: {prober: http, http: {preferred_ip_protocol: ip4, tls_config: {insecure_skip_verify: true}}}
"""


def find(program: str) -> Path:
    """Where `deploy/fetch-servers.sh --exporters` left a program, or the distribution has it."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/bin", "/usr/sbin", str(UNPACKED / "usr/bin")])
    found = shutil.which(program, path=path)
    assert found, f"no {program} on this machine: run deploy/fetch-servers.sh --exporters"
    return Path(found)


@contextmanager
def exporter(
    program: str, directory: Path, *options: str, environment: dict[str, str] | None = None
) -> Iterator[str]:
    """The address, host and port, of an exporter that listens."""
    port = free_port()
    command = [str(find(program)), f"--web.listen-address=127.0.0.1:{port}", *options]
    with running(command, directory / f"{program}.log", lambda: listens(port), environment):
        yield f"127.0.0.1:{port}"


@contextmanager
def redis(directory: Path) -> Iterator[int]:
    """The port of an empty Redis that keeps nothing and may use 100 MB."""
    port = free_port()
    command = [str(find("redis-server")), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    command += ["--maxmemory", "100mb", "--dir", str(directory)]
    with running(command, directory / "redis.log", lambda: listens(port)):
        yield port


@contextmanager
def postgres() -> Iterator[int]:
    """The port of a new PostgreSQL; it refuses to run as root, who lends it to `nobody`."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="tidemark-postgres-", dir="/tmp") as name:
        directory = Path(name)
        programs = _postgres_programs(directory)
        if os.geteuid() == 0:
            os.chown(directory, NOBODY, NOBODY)
        data, log = str(directory / "data"), directory / "postgres.log"
        initdb = [str(programs / "initdb"), "-D", data, "-U", "tidemark", "-A", "trust", "-N", "--no-locale"]
        done = subprocess.run(initdb, capture_output=True, text=True, check=False, **_as_nobody(directory))
        assert done.returncode == 0, done.stdout + done.stderr
        command = [str(programs / "postgres"), "-D", data, "-p", str(port), "-k", name, "-F"]
        with running(command, log, lambda: listens(port), as_nobody=directory):
            yield port


@contextmanager
def running(
    command: Sequence[str],
    log: Path,
    ready: Callable[[], bool],
    environment: dict[str, str] | None = None,
    as_nobody: Path | None = None,
) -> Iterator[None]:
    """A process until the end of the block, entered when it is `ready`."""
    others = _as_nobody(as_nobody) if as_nobody else {"env": _with_libraries(UNPACKED, **(environment or {}))}
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, **others)
    try:
        deadline = time.monotonic() + SECONDS
        while not ready():
            assert process.poll() is None, log.read_text(errors="replace")
            assert time.monotonic() < deadline, log.read_text(errors="replace")
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(SECONDS)


def listens(port: int) -> bool:
    """Whether something accepts connections there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def all_exporters(directory: Path) -> Iterator[dict[str, str]]:
    """Address by what listens there: four exporters, `redis-server`, and `tls`, which has a certificate."""
    with ExitStack() as stack:
        redis_port, postgres_port = stack.enter_context(redis(directory)), stack.enter_context(postgres())
        source = f"postgresql://tidemark@127.0.0.1:{postgres_port}/postgres?sslmode=disable"
        modules = directory / "blackbox.yml"
        modules.write_text(BLACKBOX, encoding="utf-8")
        started = {
            "node": exporter("prometheus-node-exporter", directory),
            "blackbox": exporter("prometheus-blackbox-exporter", directory, f"--config.file={modules}"),
            "redis": exporter(
                "prometheus-redis-exporter", directory, f"-redis.addr=redis://127.0.0.1:{redis_port}"
            ),
            "postgres": exporter(
                "prometheus-postgres-exporter", directory, environment={"DATA_SOURCE_NAME": source}
            ),
        }
        found = {job: stack.enter_context(it) for job, it in started.items()}
        tls = write(directory / "tls.yml", tls_section(make_certificates(directory)))
        secured = exporter("prometheus-node-exporter", directory, f"--web.config.file={tls}")
        found["tls"] = stack.enter_context(secured)
        yield found | {"redis-server": f"127.0.0.1:{redis_port}"}


def _with_libraries(root: Path, **others: str) -> dict[str, str]:
    """This environment, with the libraries that were unpacked under `root`, and `others`."""
    libraries = [str(it) for lib in ("usr/lib", "lib") for it in (root / lib).glob("*-linux-gnu*")]
    found = {"LD_LIBRARY_PATH": os.pathsep.join(libraries)} if libraries else {}
    return {**os.environ, **found, **others}


def _postgres_programs(directory: Path) -> Path:
    """The directory of `postgres` and `initdb`; unpacked ones are copied to where `nobody` may read them."""
    installed, unpacked = (
        sorted((root / "usr/lib/postgresql").glob("*/bin")) for root in (Path("/"), UNPACKED)
    )
    if installed:
        return installed[-1]
    assert unpacked, "no PostgreSQL on this machine: run deploy/fetch-servers.sh --exporters"
    for part in ("usr/lib", "usr/share/postgresql", "lib"):
        if (UNPACKED / part).exists():
            shutil.copytree(UNPACKED / part, directory / "unpacked" / part, symlinks=True)
    return directory / "unpacked" / unpacked[-1].relative_to(UNPACKED)


def _as_nobody(directory: Path) -> dict[str, Any]:
    """What makes a process run in `directory`, with its libraries, and not as root."""
    environment = _with_libraries(directory / "unpacked", HOME=str(directory))
    user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    return {"cwd": directory, "env": environment, **user}
