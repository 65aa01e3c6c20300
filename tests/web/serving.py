"""A small application behind the real server, for tests that need sockets."""

from __future__ import annotations

import gzip
import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from starlette.types import ASGIApp

from exporter.shown.portrait import Ahead, Held, Joint, Knowledge, Picture, Portrait, View
from exporter.shown.status import (
    Band,
    DriftingSeries,
    Finding,
    Links,
    Matches,
    QueryStatus,
    Status,
    StrangeSeries,
)
from exporter.web.config import WebConfigFile
from exporter.web.listen import listen
from exporter.web.server import serve

DEADLINE = 10.0
NOW = 1_700_000_000.0
TEXT = b'# HELP anomaly_score s\n# TYPE anomaly_score gauge\nanomaly_score{query="q"} 1\n'


@dataclass
class Fixed:
    """A source that always shows the same."""

    is_ready: bool = True

    def metrics(self, gzipped: bool) -> bytes:
        """The text, or gzip members of it."""
        return gzip.compress(TEXT[:40]) + gzip.compress(TEXT[40:]) if gzipped else TEXT

    def ready(self) -> tuple[bool, str]:
        """As constructed."""
        return (True, "ready") if self.is_ready else (False, "the first cycle is under way")

    def status(self) -> Status:
        """One query that is scored."""
        return Status("1.2.3", "abc", 1000.0, [QueryStatus("q", "up", "scored", scored=1)])

    def portrait(self, query: str, labels: Mapping[str, str]) -> Portrait | None:
        """The one series of the one query."""
        return a_portrait() if (query, labels) == ("q", {"service": "a"}) else None

    def matches(self, query: str, labels: Mapping[str, str]) -> Matches:
        """The one series for its query, two for any query, none for labels that it has not."""
        if labels.get("service", "a") != "a" or query not in ("", "q"):
            return Matches("1.2.3", NOW, Links(), query, labels, 0, (), {})
        found = [a_portrait().finding] * (1 if query else 2)
        return Matches("1.2.3", NOW, Links(), query, labels, len(found), found, {"q": "up"})

    def pictures(self, of: Portrait) -> Sequence[Picture]:
        """A day from the TSDB and a week from memory."""
        band = Band((of.now - 600, of.now), (1.0, 9.0), (0.0, 0.0), (2.0, 2.0), (1.0, 1.0))
        return [Picture(86_400, band, "scores"), Picture(7 * 86_400, band, "memory", "no answer")]


def a_portrait(**changes: Any) -> Portrait:
    """A series of which everything is known."""
    series = StrangeSeries("q", {"service": "a"}, 3.5, 9.0, 1.0, 0.0, 2.0)
    own: dict[str, Any] = {
        "version": "1.2.3",
        "now": NOW,
        "links": Links("http://grafana", "http://prometheus", "http://prometheus/graph", "http://docs"),
        "expr": "sum by (service) (up)",
        "step": 60.0,
        "state": "scored",
        "query_state": "scored",
        "time": NOW - 30,
        "finding": Finding(series, NOW - 840, Band((0.0, 1.0), (1.0, 9.0), (0.0, 0.0), (2.0, 2.0))),
        "deviation": 2.5,
        "knowledge": Knowledge("quantile", True, "up", 0.5, "money", 30_240, NOW - 1e6, NOW - 5e5, -3.5),
        "confidence": 0.425,
        "doubts": {"youth": 0.5, "completeness": 1.0, "steadiness": 0.85},
        "views": [View("usual", 1.0, 0.75), View("next", 1.5, 0.25)],
        "joint": [Joint("service", 4.25, {"q": 0.75, "other": 0.25})],
        "windows": [Held("calendar", "no_learn", int(NOW) - 3_600, int(NOW) + 3_600)],
        "ahead": [Ahead("1h", 5.0, 4.0, 6.0)],
        "seconds_to_limit": {"full": 7_200.0},
        "drift": DriftingSeries("q", {"service": "a"}, 3.5, NOW - 9e4, 0.5, 1.25),
    }
    return Portrait(**(own | changes))


@contextmanager
def serving(
    app: ASGIApp, *addresses: str, web_config: WebConfigFile | None = None
) -> Iterator[list[tuple[str, int]]]:
    """Host and port of each address of a real server in a thread of its own, stopped at the end."""
    sockets, stop = listen(addresses or ("127.0.0.1:0",)), threading.Event()
    places: list[tuple[str, int]] = [it.getsockname()[:2] for it in sockets]
    thread = threading.Thread(target=serve, args=(app, sockets, stop, web_config))
    thread.start()
    try:
        yield places
    finally:
        stop.set()
        thread.join(DEADLINE)
        assert not thread.is_alive()


def has_ipv6() -> bool:
    """Whether this machine has the IPv6 loopback."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


def write(path: Path, document: object) -> Path:
    """Put a document into the file in one step, as configuration managers do."""
    new = path.with_suffix(".new")
    new.write_text(yaml.safe_dump(document))
    new.replace(path)
    return path


def tls_section(certificates: Path, name: str = "first", **changes: str) -> dict[str, object]:
    """A document with a server certificate."""
    files = {"cert_file": str(certificates / f"{name}.pem"), "key_file": str(certificates / f"{name}.key")}
    return {"tls_server_config": files | changes}


def make_certificates(directory: Path) -> Path:
    """Fill it with an authority, two server certificates for 127.0.0.1 and a client certificate."""
    _openssl(
        directory, "req", "-x509", "-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.pem", *_NEW
    )
    for name in ("first", "second", "client"):
        request = ("-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem", *_NEW)
        names = ("-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE")
        _openssl(directory, "req", "-x509", "-CA", "ca.pem", "-CAkey", "ca.key", *names, *request)
    return directory


_NEW = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")


def _openssl(directory: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True, timeout=60)
