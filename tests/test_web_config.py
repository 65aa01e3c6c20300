"""The web config file: what is accepted, what each fault says, and TLS and passwords on real sockets."""

from __future__ import annotations

import base64
import http.client
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bcrypt
import pytest
import yaml

from exporter.commands.healthcheck import check
from exporter.status import Status
from exporter.web import create_app, serve
from exporter.web_config import WebConfigError, WebConfigFile, parse_web_config
from exporter.web_listen import listen, urls

DEADLINE = 10.0
PASSWORD = "correct horse"
HASH = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()


class Fixed:
    """A source that always shows the same."""

    def metrics(self, gzipped: bool) -> bytes:
        return b"up 0\n" if gzipped else b"up 1\n"

    def ready(self) -> tuple[bool, str]:
        return True, "ready"

    def status(self) -> Status:
        return Status("1", "r", 0.0, [], [])


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with an authority, two server certificates for 127.0.0.1 and a client certificate."""
    directory = tmp_path_factory.mktemp("certificates")
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


@contextmanager
def serving(config: WebConfigFile) -> Iterator[tuple[str, int]]:
    """Host and port of a real server behind that web config file."""
    app = create_app(Fixed(), reload=lambda: (True, ""), leave=lambda: None, web_config=config)
    sockets, stop = listen(["127.0.0.1:0"]), threading.Event()
    place = sockets[0].getsockname()[:2]
    thread = threading.Thread(target=serve, args=(app, sockets, stop, config))
    thread.start()
    try:
        yield place
    finally:
        stop.set()
        thread.join(DEADLINE)
        assert not thread.is_alive()


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


def trusting(certificates: Path) -> ssl.SSLContext:
    """A client that trusts the test authority alone."""
    return ssl.create_default_context(cafile=str(certificates / "ca.pem"))


def test_an_empty_file_means_plain_http_for_everyone(tmp_path: Path) -> None:
    """No section is required."""
    path = tmp_path / "web.yml"
    path.write_text("")
    config = WebConfigFile(path)
    assert config.context() is None
    assert config.current().basic_auth_users == {}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"tls_server_confg": {}}, "tls_server_confg: unsupported key"),
        ({"rate_limit": {}}, "rate_limit: unsupported key"),
        ({"http_server_config": {"http2": True}}, "http_server_config.http2: unsupported key"),
        ({"http_server_config": {"headers": {"Server": "x"}}}, "http_server_config.headers.Server: "),
        ({"http_server_config": {"headers": {"X-Frame-Options": "a\nb"}}}, "printable ASCII on one line"),
        ({"tls_server_config": {"key_file": "k"}}, "tls_server_config.cert_file: Field required"),
        ({"basic_auth_users": {"anna": "secret"}}, "basic_auth_users.anna: not a bcrypt hash"),
        ({"basic_auth_users": ["anna"]}, "basic_auth_users: "),
        (["anna"], "top level: "),
    ],
)
def test_each_fault_names_its_place_and_what_is_expected(document: object, message: str) -> None:
    """Unknown keys and wrong values are errors, and no value of a secret is repeated."""
    with pytest.raises(WebConfigError) as caught:
        parse_web_config(document)
    assert message in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"min_version": "TLS10"}, "min_version: 'TLS12' or 'TLS13'"),
        ({"min_version": "TLS13", "max_version": "TLS12"}, "min_version TLS13 is above max_version TLS12"),
        ({"client_auth_type": "RequireAnyClientCert"}, "client_auth_type: 'NoClientCert', "),
        ({"client_auth_type": "RequireAndVerifyClientCert"}, "go together"),
        ({"client_ca_file": "ca.pem"}, "go together"),
        ({"cipher_suites": "x"}, "tls_server_config.cipher_suites: unsupported key"),
    ],
)
def test_tls_settings_that_cannot_hold_are_refused(changes: dict[str, str], message: str) -> None:
    """What Python's TLS cannot do, and what contradicts itself, is said at the start."""
    document = {"tls_server_config": {"cert_file": "c", "key_file": "k"} | changes}
    with pytest.raises(WebConfigError) as caught:
        parse_web_config(document)
    assert message in str(caught.value)


def test_all_faults_are_told_at_once_and_with_the_file(tmp_path: Path) -> None:
    """One line for each fault, each beginning with the path of the file."""
    path = write(tmp_path / "web.yml", {"a": 1, "b": 2, "basic_auth_users": {"c": "d"}})
    with pytest.raises(WebConfigError) as caught:
        WebConfigFile(path)
    lines = str(caught.value).splitlines()
    assert len(lines) == 3
    assert all(line.startswith(f"{path}: ") for line in lines)


@pytest.mark.parametrize(
    ("text", "message"), [("a: [", "line 1: is not YAML"), (None, "cannot be read: No such file")]
)
def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path, text: str | None, message: str) -> None:
    """A missing file and one that is not YAML are told apart."""
    path = tmp_path / "web.yml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(WebConfigError, match=message) as caught:
        WebConfigFile(path)
    assert len(str(caught.value).splitlines()) == 1


def test_a_missing_certificate_is_named(tmp_path: Path, certificates: Path) -> None:
    """The message has the path of the file that is not there."""
    document = tls_section(certificates, cert_file="absent.pem")
    with pytest.raises(WebConfigError, match=f"no such file: {tmp_path}/absent.pem"):
        WebConfigFile(write(tmp_path / "web.yml", document))


def test_a_key_of_another_certificate_is_refused(tmp_path: Path, certificates: Path) -> None:
    """Certificate and key must belong together."""
    document = tls_section(certificates, key_file=str(certificates / "second.key"))
    with pytest.raises(WebConfigError, match="certificate and key do not load"):
        WebConfigFile(write(tmp_path / "web.yml", document))


def test_relative_paths_start_at_the_directory_of_the_file(tmp_path: Path, certificates: Path) -> None:
    """The directory from which the process was started does not matter."""
    for name in ("first.pem", "first.key"):
        shutil.copy(certificates / name, tmp_path / name)
    document = {"tls_server_config": {"cert_file": "first.pem", "key_file": "first.key"}}
    assert WebConfigFile(write(tmp_path / "web.yml", document)).context() is not None


def test_a_password_is_asked_for_everywhere(tmp_path: Path) -> None:
    """Without the right user and password the answer is 401, and it says how to ask again."""
    config = WebConfigFile(write(tmp_path / "web.yml", {"basic_auth_users": {"anna": HASH}}))
    with serving(config) as place:
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
    with serving(config) as place:
        assert ask(place, header=header).status == 401


@pytest.mark.parametrize("password", ["ü" * 36, "x" * 72])
def test_long_and_non_ascii_passwords_work(tmp_path: Path, password: str) -> None:
    """Passwords up to bcrypt's 72 bytes count in full, whatever the letters."""
    hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()
    config = WebConfigFile(write(tmp_path / "web.yml", {"basic_auth_users": {"anna": hashed}}))
    with serving(config) as place:
        assert ask(place, "anna", password).status == 200
        assert ask(place, "anna", password + "x").status == 200
        assert ask(place, "anna", password[:-1]).status == 401


def test_bcrypt_does_not_run_on_each_scrape(tmp_path: Path) -> None:
    """After the first success the same password costs a small part of one bcrypt."""
    hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(12)).decode()
    config = WebConfigFile(write(tmp_path / "web.yml", {"basic_auth_users": {"anna": hashed}}))
    with serving(config) as place:
        durations = []
        for _ in range(6):
            start = time.perf_counter()
            assert ask(place, "anna", PASSWORD).status == 200
            durations.append(time.perf_counter() - start)
    assert min(durations[1:]) < durations[0] / 4


def test_a_user_taken_out_of_the_file_is_refused_at_once(tmp_path: Path) -> None:
    """The file is read again without a restart, also for a password that was accepted before."""
    path = write(tmp_path / "web.yml", {"basic_auth_users": {"anna": HASH, "otto": HASH}})
    with serving(WebConfigFile(path)) as place:
        assert ask(place, "anna", PASSWORD).status == 200
        write(path, {"basic_auth_users": {"otto": HASH}})
        assert ask(place, "anna", PASSWORD).status == 401
        assert ask(place, "otto", PASSWORD).status == 200


def test_a_bad_change_keeps_the_reading_before(tmp_path: Path) -> None:
    """A typo does not open the door, nor does a file that was deleted; the next good file counts."""
    path = write(tmp_path / "web.yml", {"basic_auth_users": {"anna": HASH}})
    with serving(WebConfigFile(path)) as place:
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
    with serving(WebConfigFile(write(tmp_path / "web.yml", document))) as place:
        for answer in (ask(place), ask(place, "anna", PASSWORD)):
            assert answer.headers.get_all("X-Frame-Options") == ["deny"]
            assert answer.headers.get_all("Content-Security-Policy") == ["default-src 'self'"]


def test_tls_is_served_and_a_new_certificate_is_used_without_a_restart(
    tmp_path: Path, certificates: Path
) -> None:
    """A changed path in the file and changed content of the certificate count for the next connection."""
    path, names = write(tmp_path / "web.yml", tls_section(certificates)), []
    with serving(WebConfigFile(path)) as place:
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
    with serving(WebConfigFile(write(tmp_path / "web.yml", document))) as place:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            ask(place, tls=trusting(certificates))
        known = trusting(certificates)
        known.load_cert_chain(certificates / "client.pem", certificates / "client.key")
        assert ask(place, tls=known).status == 200


def test_an_old_protocol_version_is_refused(tmp_path: Path, certificates: Path) -> None:
    """min_version TLS13 keeps a client out that speaks 1.2 at most."""
    path = write(tmp_path / "web.yml", tls_section(certificates, min_version="TLS13"))
    with serving(WebConfigFile(path)) as place:
        old = trusting(certificates)
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        with pytest.raises(ssl.SSLError):
            ask(place, tls=old)
        assert ask(place, tls=trusting(certificates)).status == 200


def test_a_health_check_works_behind_tls_and_a_password(tmp_path: Path, certificates: Path) -> None:
    """Health needs no secrets; the authority is checked when it is given."""
    document = tls_section(certificates) | {"basic_auth_users": {"anna": HASH}}
    with serving(WebConfigFile(write(tmp_path / "web.yml", document))) as (host, port):
        url = f"https://{host}:{port}"
        assert check(f"{url}/-/healthy", DEADLINE).healthy
        assert check(f"{url}/-/healthy", DEADLINE, str(certificates / "ca.pem")).healthy
        assert not check(f"{url}/-/healthy", DEADLINE, str(certificates / "client.pem")).healthy
        assert not check(f"{url}/-/ready", DEADLINE).healthy


def test_plain_http_on_a_tls_port_does_no_harm(tmp_path: Path, certificates: Path) -> None:
    """A client that speaks no TLS is dropped, and the next one with TLS is served."""
    path = write(tmp_path / "web.yml", tls_section(certificates))
    with serving(WebConfigFile(path)) as place:
        with pytest.raises((http.client.HTTPException, OSError)):
            ask(place)
        assert ask(place, tls=trusting(certificates)).status == 200


def test_urls_say_https_where_it_is() -> None:
    """The scheme is the caller's word, the port is the bound one."""
    [bound] = listen(["127.0.0.1:0"])
    with bound:
        assert urls([bound], "https") == [f"https://127.0.0.1:{bound.getsockname()[1]}/"]


def _subject(place: tuple[str, int], certificates: Path) -> str:
    """The common name of the certificate that the server shows now."""
    raw = socket.create_connection(place, DEADLINE)
    with trusting(certificates).wrap_socket(raw, server_hostname=place[0]) as secured:
        shown = secured.getpeercert()
    assert shown
    return next(value for ((name, value),) in shown["subject"] if name == "commonName")
