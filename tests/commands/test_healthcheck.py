"""The health check: one line and an exit code, whatever the other side does."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from exporter.commands.healthcheck import check, run

DEADLINE = 5.0


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """The URL of a server that answers one connection with those bytes, and with silence without any."""
    server = socket.create_server(("127.0.0.1", 0))
    finished = threading.Event()

    def serve() -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(answer)
            assert answer or finished.wait(DEADLINE)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/-/healthy"
    finally:
        finished.set()
        thread.join(DEADLINE)
        server.close()


def response(status: str, body: str) -> bytes:
    """An HTTP answer."""
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


def test_a_healthy_answer_is_exit_code_0_and_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """The line has the URL and what the server said."""
    with answering(response("200 OK", "healthy\n")) as url:
        assert run(url, DEADLINE) == 0
    assert capsys.readouterr().out == f"{url}: healthy\n"


def test_a_503_is_exit_code_1_with_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    """What is awaited is passed on."""
    with answering(response("503 Service Unavailable", "the first cycle is under way\nmore")) as url:
        assert run(url, DEADLINE) == 1
    assert capsys.readouterr().out == f"{url}: HTTP 503: the first cycle is under way\n"


def test_a_process_that_asks_for_a_password_is_alive() -> None:
    """Behind basic auth the check needs no secret to see that the process answers."""
    with answering(response("401 Unauthorized", "")) as url:
        assert check(url, DEADLINE).healthy


def test_a_password_does_not_make_a_process_ready() -> None:
    """Readiness cannot be told from a 401."""
    with answering(response("401 Unauthorized", "")) as url:
        assert not check(url.replace("healthy", "ready"), DEADLINE).healthy


def test_nobody_listening_is_a_refused_connection() -> None:
    """A port without a server is unhealthy, with the system's reason."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/-/healthy"
    health = check(url, DEADLINE)
    assert (health.healthy, health.line) == (False, f"{url}: Connection refused")


def test_a_server_that_hangs_is_unhealthy_after_the_timeout() -> None:
    """Silence is not health."""
    with answering(b"") as url:
        health = check(url, 0.2)
    assert (health.healthy, health.line) == (False, f"{url}: no answer within 0.2 s")


@pytest.mark.parametrize("answer", [b"nonsense\r\n\r\n", b"HTTP/1.1 2", b"\x16\x03\x01"])
def test_an_answer_that_is_no_http_is_unhealthy(answer: bytes) -> None:
    """A strange server is one line, not a traceback."""
    with answering(answer) as url:
        health = check(url, DEADLINE)
    assert not health.healthy
    assert "\n" not in health.line


@pytest.mark.parametrize(
    "url", ["", "localhost:10063", "ftp://localhost/", "http://", "http://a:b/-/healthy"]
)
def test_a_url_that_is_none_is_unhealthy(url: str) -> None:
    """A typing error in the container file is told as such."""
    assert not check(url, DEADLINE).healthy
