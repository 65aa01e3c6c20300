"""What stands in front of the endpoints: TLS, passwords and headers, on real sockets."""

from __future__ import annotations

import base64
import http.client
import os
import shutil
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bcrypt
import pytest

from exporter.commands.healthcheck import check
from exporter.web.app import create_app
from exporter.web.config import WebConfigFile
from tests.web.serving import DEADLINE, Fixed, make_certificates, serving, tls_section, write

PASSWORD = "correct horse"
HASH = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with an authority, two server certificates for 127.0.0.1 and a client certificate."""
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@contextmanager
def guarded(config: WebConfigFile) -> Iterator[tuple[str, int]]:
    """Host and port of a real server behind that web config file."""
    app = create_app(Fixed(), reload=lambda: (True, ""), leave=lambda: None, web_config=config)
    with serving(app, web_config=config) as [place]:
        yield place


def ask(
    place: tuple[str, int],
    user: str = "",
    password: str = "",
    tls: ssl.SSLContext | None = None,
    header: str = "",
) -> http.client.HTTPResponse:
    """The answer to GET /metrics."""
    make = http.client.HTTPConnection(*place, timeout=DEADLINE)
    if tls:
        make = http.client.HTTPSConnection(*place, timeout=DEADLINE, context=tls)
    token = base64.b64encode(f"{user}:{password}".encode()).decode()
    headers = {"Authorization": header or f"Basic {token}"} if user or header else {}
    make.request("GET", "/metrics", headers=headers)
    answer = make.getresponse()
    answer.read()
    make.close()
    return answer


def trusting(certificates: Path) -> ssl.SSLContext:
    """A client that trusts the test authority alone."""
    return ssl.create_default_context(cafile=str(certificates / "ca.pem"))


def test_a_password_is_asked_for_everywhere(tmp_path: Path) -> None:
    """Without the right user and password the answer is 401, and it says how to ask again."""
    config = WebConfigFile(write(tmp_path / "web.yml", {"basic_auth_users": {"anna": HASH}}))
    with guarded(config) as place:
        refused = ask(place)
        assert (refused.status, refused.getheader("WWW-Authenticate")[:13]) == (401, 'Basic realm="')
        assert ask(place, "anna", PASSWORD).status == 200
        assert ask(place, "anna", PASSWORD.upper()).status == 401
        assert ask(place, "anna", "").status == 401
        assert ask(place, "otto", PASSWORD).status == 401


@pytest.mark.parametrize(
    "header", ["Basic", "Basic !", "Basic YW5uYQ==", "Bearer x", "Basic /w==", "Basic ///6//8="]
)
def test_a_malformed_authorization_is_refused(tmp_path: Path, header: str) -> None:
    """Anything but user and password in base64 is a 401, never an error."""
    config = WebConfigFile(write(tmp_path / "web.yml", {"basic_auth_users": {"anna": HASH}}))
    with guarded(config) as place:
        assert ask(place, header=header).status == 401


@pytest.mark.parametrize("password", ["ü" * 36, "x" * 72])
def test_long_and_non_ascii_passwords_work(tmp_path: Path, password: str) -> None:
    """Passwords up to bcrypt's 72 bytes count in full, whatever the letters."""
    hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()
    config = WebConfigFile(write(tmp_path / "web.yml", {"basic_auth_users": {"anna": hashed}}))
    with guarded(config) as place:
        assert ask(place, "anna", password).status == 200
        assert ask(place, "anna", password + "x").status == 200
        assert ask(place, "anna", password[:-1]).status == 401


def test_bcrypt_does_not_run_on_each_scrape(tmp_path: Path) -> None:
    """After the first success the same password costs a small part of one bcrypt."""
    hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(12)).decode()
    config = WebConfigFile(write(tmp_path / "web.yml", {"basic_auth_users": {"anna": hashed}}))
    with guarded(config) as place:
        durations = []
        for _ in range(6):
            start = time.perf_counter()
            assert ask(place, "anna", PASSWORD).status == 200
            durations.append(time.perf_counter() - start)
    assert min(durations[1:]) < durations[0] / 4


def test_a_user_taken_out_of_the_file_is_refused_at_once(tmp_path: Path) -> None:
    """The file is read again without a restart, also for a password that was accepted before."""
    path = write(tmp_path / "web.yml", {"basic_auth_users": {"anna": HASH, "otto": HASH}})
    with guarded(WebConfigFile(path)) as place:
        assert ask(place, "anna", PASSWORD).status == 200
        write(path, {"basic_auth_users": {"otto": HASH}})
        assert ask(place, "anna", PASSWORD).status == 401
        assert ask(place, "otto", PASSWORD).status == 200


def test_a_bad_change_keeps_the_reading_before(tmp_path: Path) -> None:
    """A typo does not open the door, nor does a file that was deleted; the next good file counts."""
    path = write(tmp_path / "web.yml", {"basic_auth_users": {"anna": HASH}})
    with guarded(WebConfigFile(path)) as place:
        write(path, {"basic_auth_user": {}})
        assert (ask(place).status, ask(place, "anna", PASSWORD).status) == (401, 200)
        path.unlink()
        assert (ask(place).status, ask(place, "anna", PASSWORD).status) == (401, 200)
        write(path, {})
        assert ask(place).status == 200


def test_headers_of_the_file_are_on_every_answer(tmp_path: Path) -> None:
    """Configured headers are added once, in place of an endpoint's own, and on refusals as well."""
    headers = {"X-Frame-Options": "deny", "Content-Security-Policy": "default-src 'self'"}
    document = {"http_server_config": {"headers": headers}, "basic_auth_users": {"anna": HASH}}
    with guarded(WebConfigFile(write(tmp_path / "web.yml", document))) as place:
        for answer in (ask(place), ask(place, "anna", PASSWORD)):
            assert answer.headers.get_all("X-Frame-Options") == ["deny"]
            assert answer.headers.get_all("Content-Security-Policy") == ["default-src 'self'"]


def test_tls_is_served_and_a_new_certificate_is_used_without_a_restart(
    tmp_path: Path, certificates: Path
) -> None:
    """A changed path in the file and changed content of the certificate count for the next connection."""
    path, names = write(tmp_path / "web.yml", tls_section(certificates)), []
    with guarded(WebConfigFile(path)) as place:
        names.append(_subject(place, certificates))
        write(path, tls_section(certificates, "second"))
        names.append(_subject(place, certificates))
        for kind in ("pem", "key"):
            shutil.copy(certificates / f"first.{kind}", tmp_path / f"own.{kind}")
        write(path, tls_section(tmp_path, "own"))
        names.append(_subject(place, certificates))
        for kind in ("pem", "key"):
            shutil.copy(certificates / f"second.{kind}", tmp_path / f"own.{kind}")
        os.utime(tmp_path / "own.key", (1, 1))
        names.append(_subject(place, certificates))
    assert names == ["first", "second", "first", "second"]


def test_a_client_certificate_is_required_where_the_file_says_so(tmp_path: Path, certificates: Path) -> None:
    """Without a certificate of the authority no request gets through; with one it does."""
    document = tls_section(
        certificates,
        client_ca_file=str(certificates / "ca.pem"),
        client_auth_type="RequireAndVerifyClientCert",
    )
    with guarded(WebConfigFile(write(tmp_path / "web.yml", document))) as place:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            ask(place, tls=trusting(certificates))
        known = trusting(certificates)
        known.load_cert_chain(certificates / "client.pem", certificates / "client.key")
        assert ask(place, tls=known).status == 200


def test_an_old_protocol_version_is_refused(tmp_path: Path, certificates: Path) -> None:
    """min_version TLS13 keeps a client out that speaks 1.2 at most."""
    path = write(tmp_path / "web.yml", tls_section(certificates, min_version="TLS13"))
    with guarded(WebConfigFile(path)) as place:
        old = trusting(certificates)
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        with pytest.raises(ssl.SSLError):
            ask(place, tls=old)
        assert ask(place, tls=trusting(certificates)).status == 200


def test_a_health_check_works_behind_tls_and_a_password(tmp_path: Path, certificates: Path) -> None:
    """Health needs no secrets; the authority is checked when it is given."""
    document = tls_section(certificates) | {"basic_auth_users": {"anna": HASH}}
    with guarded(WebConfigFile(write(tmp_path / "web.yml", document))) as (host, port):
        url = f"https://{host}:{port}"
        assert check(f"{url}/-/healthy", DEADLINE).healthy
        assert check(f"{url}/-/healthy", DEADLINE, str(certificates / "ca.pem")).healthy
        assert not check(f"{url}/-/healthy", DEADLINE, str(certificates / "client.pem")).healthy
        assert not check(f"{url}/-/ready", DEADLINE).healthy


def test_plain_http_on_a_tls_port_does_no_harm(tmp_path: Path, certificates: Path) -> None:
    """A client that speaks no TLS is dropped, and the next one with TLS is served."""
    path = write(tmp_path / "web.yml", tls_section(certificates))
    with guarded(WebConfigFile(path)) as place:
        with pytest.raises((http.client.HTTPException, OSError)):
            ask(place)
        assert ask(place, tls=trusting(certificates)).status == 200


def _subject(place: tuple[str, int], certificates: Path) -> str:
    """The common name of the certificate that the server shows now."""
    raw = socket.create_connection(place, DEADLINE)
    with trusting(certificates).wrap_socket(raw, server_hostname=place[0]) as secured:
        shown = secured.getpeercert()
    assert shown
    return next(value for ((name, value),) in shown["subject"] if name == "commonName")
