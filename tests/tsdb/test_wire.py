"""Who asks and how: credentials, compression, TLS with client certificates, proxies, and real sockets."""

from __future__ import annotations

import base64
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from exporter.tsdb.client import Client
from exporter.tsdb.errors import TsdbError
from exporter.tsdb.settings import BasicAuth, Settings, Tls
from tests.loopback import serving
from tests.tsdb.answers import vector_answer

OK = vector_answer([({"service": "api"}, "1")])
NAMES = ("-subj", "/CN=tsdb.test", "-addext", "subjectAltName=DNS:tsdb.test")


def sent(url: str = "http://tsdb:9090", **settings: Any) -> httpx.Request:
    """The request that an instant read with these settings makes."""
    requests: list[httpx.Request] = []

    def reply(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, content=OK)

    with Client(Settings(url, flavour="prometheus", **settings), httpx.MockTransport(reply)) as client:
        client.instant("up", 1)
    return requests[0]


@pytest.mark.parametrize(
    ("url", "encoding"),
    [
        ("http://localhost:9090", "identity"),
        ("http://127.0.0.1:9090", "identity"),
        ("http://[::1]:9090", "identity"),
        ("http://10.1.2.3:9090", "identity"),
        ("http://192.168.1.9", "identity"),
        ("http://prometheus:9090", "identity"),
        ("http://vm.monitoring.svc.cluster.local:8428", "identity"),
        ("https://metrics.example.org", "gzip"),
        ("http://8.8.8.8:9090", "gzip"),
    ],
)
def test_compression_where_it_pays(url: str, encoding: str) -> None:
    """Near servers send plain bytes, far ones compress; both can be forced."""
    assert sent(url).headers["Accept-Encoding"] == encoding
    assert sent(url, compression="gzip").headers["Accept-Encoding"] == "gzip"
    assert sent(url, compression="identity").headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize(
    ("url", "tenant_path", "path"),
    [
        ("http://vm", "", "/api/v1/query"),
        ("http://vm/", "", "/api/v1/query"),
        ("http://vm/prometheus/", "", "/prometheus/api/v1/query"),
        ("http://vm", "/select/0/prometheus", "/select/0/prometheus/api/v1/query"),
        ("http://vm/base", "select/7:1/prometheus/", "/base/select/7:1/prometheus/api/v1/query"),
    ],
)
def test_paths(url: str, tenant_path: str, path: str) -> None:
    """Prefix and tenant path come before the path of the API, with one slash between."""
    assert sent(url, tenant_path=tenant_path).url.path == path


def test_tenant_and_own_headers() -> None:
    """The tenant travels as Mimir, Thanos and Cortex expect it, beside headers of one's own."""
    headers = sent(tenant="team-a", headers={"X-Key": "1", "User-Agent": "mine"}).headers
    assert (headers["X-Scope-OrgID"], headers["X-Key"], headers["User-Agent"]) == ("team-a", "1", "mine")


def test_credentials() -> None:
    """Basic and bearer, in the form of HTTP, UTF-8 included; none where none are set."""
    pair = base64.b64encode("üser:pass:word".encode()).decode()
    assert sent(basic_auth=BasicAuth("üser", "pass:word")).headers["Authorization"] == f"Basic {pair}"
    assert sent(bearer_token="abc").headers["Authorization"] == "Bearer abc"
    assert "Authorization" not in sent().headers


def test_secrets_in_files_are_read_each_time(tmp_path: Path) -> None:
    """A rotated token is used at the next request; a missing file is named."""
    file = tmp_path / "token"
    heard: list[str] = []

    def reply(request: httpx.Request) -> httpx.Response:
        heard.append(request.headers["Authorization"])
        return httpx.Response(200, content=OK)

    settings = Settings("http://tsdb", flavour="prometheus", bearer_token_file=file)
    with Client(settings, httpx.MockTransport(reply)) as client:
        for token in ("one\n", "two"):
            file.write_text(token)
            client.instant("up", 1)
        file.unlink()
        with pytest.raises(TsdbError, match="No such file") as caught:
            client.instant("up", 1)
    assert heard == ["Bearer one", "Bearer two"]
    assert (caught.value.reason, str(file) in str(caught.value)) == ("internal", True)


def test_a_token_file_with_a_line_break_is_not_quoted(tmp_path: Path) -> None:
    """What cannot stand in a header is refused without showing it."""
    file = tmp_path / "token"
    file.write_text("secret\nmore")
    with pytest.raises(TsdbError, match="not plain text") as caught:
        sent(bearer_token_file=file)
    assert "secret\n" not in str(caught.value)
    assert "more" not in str(caught.value)


class Handler(BaseHTTPRequestHandler):
    """Answers everything with one series."""

    def do_GET(self) -> None:
        """Any query."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(OK)))
        self.end_headers()
        self.wfile.write(OK)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@contextmanager
def answering(context: ssl.SSLContext | None = None) -> Iterator[HTTPServer]:
    """A server that answers, over TLS where there is a `context`."""
    server = HTTPServer(("127.0.0.1", 0), Handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    with serving(server):
        yield server


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with two certificates and their keys: `server`, for tsdb.test, and `client`."""
    directory = tmp_path_factory.mktemp("certificates")
    for name in ("server", "client"):
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *NAMES]
        files = ["-keyout", f"{name}.key", "-out", f"{name}.pem"]
        subprocess.run([*command, *files], cwd=directory, check=True, capture_output=True, timeout=60)
    return directory


@pytest.fixture
def tls_server(certificates: Path) -> Iterator[str]:
    """The address of a server that wants a client certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "server.pem", certificates / "server.key")
    context.load_verify_locations(certificates / "client.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    with answering(context) as server:
        yield f"https://127.0.0.1:{server.server_port}"


def asked(url: str, tls: Tls) -> list[float]:
    """The values of an instant read, without retries."""
    with Client(Settings(url, flavour="prometheus", tls=tls, retries=0, timeout=10)) as client:
        return client.instant("up", 1).values.tolist()


def test_mutual_tls(certificates: Path, tls_server: str) -> None:
    """Own authority, own certificate and the name on the server's certificate: the read succeeds."""
    pair = {"cert_file": certificates / "client.pem", "key_file": certificates / "client.key"}
    tls = Tls(ca_file=certificates / "server.pem", server_name="tsdb.test", **pair)
    assert asked(tls_server, tls) == [1.0]
    assert asked(tls_server, Tls(insecure_skip_verify=True, **pair)) == [1.0]


def test_tls_failures_are_permanent_and_clear(certificates: Path, tls_server: str) -> None:
    """An unknown authority and a wrong name are told apart, and not tried again."""
    with pytest.raises(TsdbError, match=r"self-signed certificate.*check tls_config") as caught:
        asked(tls_server, Tls())
    assert caught.value.reason == "unreachable"
    with pytest.raises(TsdbError, match="IP address mismatch"):
        asked(tls_server, Tls(ca_file=certificates / "server.pem"))


@pytest.mark.parametrize(
    "tls", [Tls(ca_file=Path("/nowhere/ca.pem")), Tls(cert_file=Path("/nowhere/me.pem"))]
)
def test_missing_tls_files_are_named(tls: Tls) -> None:
    """A file that cannot be used is said at once, when the client is made."""
    with pytest.raises(ValueError, match="/nowhere/"):
        Client(Settings("https://tsdb", tls=tls))


def test_a_proxy_is_used() -> None:
    """With `proxy_url` the request goes to the proxy, whatever host it names."""
    with answering() as proxy:
        settings = Settings(
            "http://tsdb.invalid", flavour="prometheus", proxy_url=f"http://127.0.0.1:{proxy.server_port}"
        )
        with Client(settings) as client:
            assert client.instant("up", 1).values.tolist() == [1.0]


def test_nothing_listens() -> None:
    """A refused connection says so, with the address."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}"
        with pytest.raises(TsdbError, match="Connection refused") as caught:
            asked(url, Tls())
    assert (caught.value.reason, url in str(caught.value)) == ("unreachable", True)


@contextmanager
def saying(talk: Callable[[socket.socket], object]) -> Iterator[str]:
    """A server that accepts one connection, reads the request, talks, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def run() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65_536)
                talk(connection)

        thread = threading.Thread(target=run)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join()


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"", "unreachable"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "unreachable"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{", "malformed"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", "malformed"),
    ],
)
def test_connections_that_break(said: bytes, reason: str) -> None:
    """A server that hangs up early, or speaks something else, gives a clear kind of failure."""
    with saying(lambda connection: connection.sendall(said)) as url, pytest.raises(TsdbError) as caught:
        asked(url, Tls())
    assert caught.value.reason == reason


def test_silence_ends_with_the_timeout() -> None:
    """A server that accepts and says nothing costs the timeout, no more."""
    done = threading.Event()
    with saying(lambda _: done.wait(10)) as url:
        settings = Settings(url, flavour="prometheus", retries=0, timeout=0.2)
        with Client(settings) as client, pytest.raises(TsdbError) as caught:
            client.instant("up", 1)
        done.set()
    assert caught.value.reason == "timeout"
