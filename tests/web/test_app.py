"""The HTTP front: endpoints over a source, and the server that answers them on real sockets."""

from __future__ import annotations

import asyncio
import gzip
import http.client
import signal
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from exporter.web.app import Source, create_app
from exporter.web.body import accepts_gzip
from exporter.web.listen import listen
from exporter.web.server import serve
from tests.web.serving import DEADLINE, TEXT, Fixed, serving


@dataclass
class Switches:
    """Records what was asked of the process."""

    outcome: tuple[bool, str] = (True, "configuration reloaded")
    asked: list[str] = field(default_factory=list)

    def reload(self) -> tuple[bool, str]:
        self.asked.append("reload")
        return self.outcome

    def leave(self) -> None:
        self.asked.append("leave")


@dataclass(frozen=True)
class Client:
    """Asks the application without sockets."""

    app: Starlette

    def request(self, method: str, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://tidemark") as asking:
                return await asking.request(method, path, headers=headers)

        return asyncio.run(ask())

    def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        return self.request("GET", path, headers)

    def post(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        return self.request("POST", path, headers)


def client(source: Source | None = None, switches: Switches | None = None, **options: Any) -> Client:
    """A client of the application over a source."""
    switches = switches or Switches()
    return Client(create_app(source or Fixed(), reload=switches.reload, leave=switches.leave, **options))


def fetch(place: tuple[str, int], path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and raw body over a real socket."""
    connection = http.client.HTTPConnection(*place, timeout=DEADLINE)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, body


def test_metrics_are_the_text_format_as_the_source_renders_it() -> None:
    """A plain GET gets the source's bytes with the content type of the text format."""
    answer = client().get("/metrics", headers={"Accept-Encoding": "identity"})
    assert (answer.status_code, answer.content) == (200, TEXT)
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ([], False),
        (["gzip"], True),
        (["GZIP"], True),
        (["deflate, gzip;q=0.5"], True),
        (["deflate", "gzip"], True),
        (["gzip;q=0"], False),
        (["gzip; q=0.0, *;q=1"], False),
        (["x-gzip"], True),
        (["*"], True),
        (["*;q=0"], False),
        (["br, zstd"], False),
        (["gzip;q=nonsense"], False),
        (["gzip;q=nan"], False),
        (["", " , "], False),
    ],
)
def test_gzip_is_used_exactly_when_the_client_accepts_it(accept: list[str], wanted: bool) -> None:
    """The weight of gzip decides; `*` counts only where gzip is not named."""
    assert accepts_gzip(accept) is wanted


def test_a_gzipped_scrape_unpacks_to_the_same_text() -> None:
    """Members one after the other are one gzip stream to a real client."""
    with serving(client().app) as [place]:
        status, headers, body = fetch(place, "/metrics", **{"Accept-Encoding": "gzip"})
    assert (status, headers["content-encoding"], headers["vary"]) == (200, "gzip", "Accept-Encoding")
    assert gzip.decompress(body) == TEXT


def test_a_long_scrape_in_parts_arrives_whole() -> None:
    """Bodies of several parts, longer than one slice, arrive in order with their exact length."""
    parts = [b"a" * 300_000, b"", b"b" * 700_001]

    class Long(Fixed):
        def metrics(self, gzipped: bool) -> list[bytes]:
            return parts[:0] if gzipped else parts

    with serving(client(Long()).app) as [place]:
        _, headers, body = fetch(place, "/metrics")
        assert (body, headers["content-length"]) == (b"".join(parts), "1000001")
        assert fetch(place, "/metrics", **{"Accept-Encoding": "gzip"})[2] == b""


def test_head_answers_the_headers_of_get_without_a_body() -> None:
    """HEAD /metrics names the length and sends nothing after the headers."""
    with serving(client().app) as [place], socket.create_connection(place, DEADLINE) as raw:
        raw.sendall(b"HEAD /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: raw.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 200")
    assert f"content-length: {len(TEXT)}".encode() in answer
    assert answer.endswith(b"\r\n\r\n")


def test_readiness_waits_for_the_first_cycle_and_health_does_not() -> None:
    """Before the first cycle /-/ready is 503 with the reason, while /-/healthy is 200."""
    source = Fixed(is_ready=False)
    waiting = client(source).get("/-/ready")
    assert (waiting.status_code, waiting.text) == (503, "the first cycle is under way\n")
    assert client(source).get("/-/healthy").status_code == 200
    source.is_ready = True
    assert client(source).get("/-/ready").status_code == 200


@pytest.mark.parametrize("path", ["/-/reload", "/-/quit"])
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_lifecycle_endpoints_are_off_unless_enabled(path: str, method: str) -> None:
    """Without the flag the answer is 403, names the flag, and nothing happens."""
    switches = Switches()
    answer = client(switches=switches).request(method, path)
    assert answer.status_code == 403
    assert "--web.enable-lifecycle" in answer.text
    assert switches.asked == []


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize(("path", "asked"), [("/-/reload", "reload"), ("/-/quit", "leave")])
def test_lifecycle_endpoints_act_when_enabled(path: str, asked: str, method: str) -> None:
    """With the flag each asks the process once and answers 200."""
    switches = Switches()
    assert client(switches=switches, lifecycle_enabled=True).request(method, path).status_code == 200
    assert switches.asked == [asked]


def test_a_failed_reload_is_an_error_with_its_reason() -> None:
    """The body of the 500 is the message of the reload."""
    switches = Switches(outcome=(False, "queries[0].expr: is required"))
    answer = client(switches=switches, lifecycle_enabled=True).post("/-/reload")
    assert (answer.status_code, answer.text) == (500, "queries[0].expr: is required\n")


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_page_of_another_site_cannot_stop_the_process(site: str) -> None:
    """What a browser sends from elsewhere is refused even with the lifecycle enabled."""
    switches = Switches()
    answer = client(switches=switches, lifecycle_enabled=True).post(
        "/-/quit", headers={"Sec-Fetch-Site": site}
    )
    assert (answer.status_code, switches.asked) == (403, [])


def test_a_get_never_reloads() -> None:
    """A link or a crawler cannot reload or quit."""
    switches = Switches()
    enabled = client(switches=switches, lifecycle_enabled=True)
    assert [enabled.get(path).status_code for path in ("/-/reload", "/-/quit")] == [405, 405]
    assert switches.asked == []


def test_an_unknown_path_names_the_known_ones() -> None:
    """The 404 is one line that says where to go."""
    answer = client().get("/metric")
    assert (answer.status_code, answer.text.count("\n")) == (404, 1)
    assert "/metrics" in answer.text


def test_every_endpoint_is_documented() -> None:
    """docs/http.md has a row for each path."""
    page = (Path(__file__).parents[2] / "docs" / "http.md").read_text()
    routes = [it for it in client().app.routes if isinstance(it, Route)]
    paths = {
        it.path.replace("{dashboard:path}", "…"): "POST" if "POST" in it.methods else "GET" for it in routes
    }
    assert [path for path, method in paths.items() if f"| `{path}` | {method}," not in page] == []


def test_a_fault_in_one_endpoint_is_one_line_and_leaves_the_others_alone() -> None:
    """A source that raises gives a 500 without a traceback; health still answers."""

    class Broken(Fixed):
        def metrics(self, gzipped: bool) -> bytes:
            raise RuntimeError(f"secret detail of {gzipped}")

    with serving(client(Broken()).app) as [place]:
        status, _, body = fetch(place, "/metrics")
        assert (status, body) == (500, b"internal error; the log has the reason\n")
        assert fetch(place, "/-/healthy")[0] == 200


@pytest.mark.parametrize("path", ["/metrics", "/-/healthy", "/-/ready", "/"])
def test_the_path_of_the_external_url_is_served_too(path: str) -> None:
    """Behind a proxy that keeps the prefix, every endpoint answers below it, and at the root as before."""
    behind = client(external_url="https://example.org/ops/tidemark/")
    assert behind.get(f"/ops/tidemark{path}").status_code == 200
    assert behind.get(path).status_code == 200


def test_the_landing_page_is_html_with_a_policy_that_allows_its_own_style_only() -> None:
    """The page carries its style, and its policy lets nothing else in."""
    answer = client().get("/")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert "Tidemark" in answer.text


def test_stopping_lets_a_request_finish_and_frees_the_port() -> None:
    """A scrape under way when the stop comes still gets its whole body."""
    asked, release = threading.Event(), threading.Event()

    class Slow(Fixed):
        def metrics(self, gzipped: bool) -> bytes:
            asked.set()
            assert release.wait(DEADLINE)
            return super().metrics(gzipped)

    answers: list[tuple[int, bytes]] = []
    sockets, stop = listen(["127.0.0.1:0"]), threading.Event()
    place = sockets[0].getsockname()
    server = threading.Thread(target=serve, args=(client(Slow()).app, sockets, stop))
    scraper = threading.Thread(target=lambda: answers.append(fetch(place, "/metrics")[::2]))
    server.start()
    scraper.start()
    assert asked.wait(DEADLINE)
    stop.set()
    _until(lambda: not _connects(place))
    release.set()
    scraper.join(DEADLINE)
    server.join(DEADLINE)
    assert answers == [(200, TEXT)]
    assert not server.is_alive()


def test_signal_handlers_stay_with_the_caller() -> None:
    """Served from the main thread, SIGTERM and SIGINT are handled by whom the caller chose."""
    sockets, stop = listen(["127.0.0.1:0"]), threading.Event()
    seen: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: (seen.append(number), stop.set()))
    place = sockets[0].getsockname()
    killer = threading.Thread(
        target=lambda: (
            fetch(place, "/-/healthy"),
            signal.pthread_kill(threading.main_thread().ident, signal.SIGTERM),
        )
    )
    try:
        killer.start()
        serve(client().app, sockets, stop)
        killer.join(DEADLINE)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert seen == [signal.SIGTERM]


def _connects(place: tuple[str, int]) -> bool:
    try:
        socket.create_connection(place, 1.0).close()
    except OSError:
        return False
    return True


def _until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not reached():
        assert time.monotonic() < deadline
        threading.Event().wait(0.02)
