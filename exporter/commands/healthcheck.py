"""`tidemark healthcheck`: is a running Tidemark alive? One line, and an exit code for containers."""

from __future__ import annotations

import http.client
import ssl
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

DEFAULT_URL = "http://127.0.0.1:10063/-/healthy"
LINE_BYTES = 500


@dataclass(frozen=True, slots=True)
class Health:
    """The outcome of one check: healthy or not, and one line that says why."""

    healthy: bool
    line: str


def run(url: str = DEFAULT_URL, timeout: float = 3.0, ca_file: str | None = None) -> int:
    """Ask `url` once, print one line, and answer the exit code: 0 healthy, 1 not.

    `timeout` is in seconds. `ca_file` verifies an https server; without it only the answer counts, not who
    gives it. The environment's proxies are not used: the question is about this machine.
    """
    health = check(url, timeout, ca_file)
    print(health.line)
    return 0 if health.healthy else 1


def check(url: str, timeout: float, ca_file: str | None = None) -> Health:
    """What `url` answers, as a Health; never raises for a server that is absent, slow or strange."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return Health(False, f"{url}: expected a URL such as {DEFAULT_URL}")
    try:
        status, line = _ask(parts, timeout, ca_file)
    except TimeoutError:
        return Health(False, f"{url}: no answer within {timeout:g} s")
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return Health(False, f"{url}: {' '.join(reason.split())}")
    return _judge(url, parts.path, status, line)


def _ask(parts: SplitResult, timeout: float, ca_file: str | None) -> tuple[int, str]:
    assert parts.hostname
    connection = (
        http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
        if parts.scheme == "http"
        else http.client.HTTPSConnection(
            parts.hostname, parts.port, timeout=timeout, context=_context(ca_file)
        )
    )
    try:
        connection.request("GET", parts.path or "/")
        response = connection.getresponse()
        text = response.read(LINE_BYTES).decode(errors="replace")
        return response.status, next(iter(text.splitlines()), "")
    finally:
        connection.close()


def _context(ca_file: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file)
    if not ca_file:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _judge(url: str, path: str, status: int, line: str) -> Health:
    if status == 200:
        return Health(True, f"{url}: {line}")
    if status == 401 and path.endswith("/-/healthy"):
        return Health(True, f"{url}: alive; it asks for a password")
    return Health(False, f"{url}: HTTP {status}: {line}")
