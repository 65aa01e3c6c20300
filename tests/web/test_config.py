"""The web config file: what is accepted, and what each fault says."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import get_args

import pytest
import yaml

from exporter.web.config import (
    CLIENT_AUTH,
    HeaderName,
    TlsServerConfig,
    WebConfig,
    WebConfigError,
    WebConfigFile,
    parse_web_config,
)
from tests.web.serving import make_certificates, tls_section, write


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with an authority, two server certificates for 127.0.0.1 and a client certificate."""
    return make_certificates(tmp_path_factory.mktemp("certificates"))


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


def test_the_documented_example_is_valid_and_every_key_is_documented() -> None:
    """docs/http.md holds a file that parses, and names each key that is understood."""
    page = (Path(__file__).parents[2] / "docs" / "http.md").read_text()
    [example] = [it for it in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL) if "tls_server_config:" in it]
    assert parse_web_config(yaml.safe_load(example)).basic_auth_users
    keys = [*TlsServerConfig.model_fields, *WebConfig.model_fields, *get_args(HeaderName), *CLIENT_AUTH]
    assert [key for key in keys if f"{key}`" not in page and f"`{key}" not in page] == []
