"""How to reach a TSDB: frozen values, checked when they are made, with secrets that never print."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

Flavour: TypeAlias = Literal["prometheus", "victoriametrics"]
SERVER_POINTS = 11_000
"""Prometheus refuses a range query of more points per series."""


@dataclass(frozen=True, slots=True)
class BasicAuth:
    """A user name with a password, or with a file that is read again for every request."""

    username: str
    password: str = field(default="", repr=False)
    password_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Tls:
    """As `tls_config` of Prometheus: own authority, client certificate, other name, or no check at all."""

    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    server_name: str | None = None
    insecure_skip_verify: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the TSDB is, who asks, and how much at most.

    `timeout` bounds one whole answer, in seconds; no retry starts later than `retry_window` seconds after the
    first try. `max_points` bounds what one range request asks for (series x times), `max_series` and
    `max_response_bytes` (after decompression) what any answer may hold. The circuit opens for `circuit_pause`
    seconds after `circuit_failures` calls in a row that got no HTTP answer.
    Raises ValueError for what cannot work, without quoting a secret.
    """

    url: str
    flavour: Flavour | Literal["auto"] = "auto"
    timeout: float = 30.0
    concurrency: int = 4
    retries: int = 3
    retry_window: float = 60.0
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    basic_auth: BasicAuth | None = None
    bearer_token: str = field(default="", repr=False)
    bearer_token_file: Path | None = None
    tls: Tls = Tls()
    proxy_url: str | None = field(default=None, repr=False)
    tenant: str | None = None
    tenant_path: str = ""
    compression: Literal["auto", "gzip", "identity"] = "auto"
    max_points: int = 1_000_000
    max_series: int = 150_000
    max_response_bytes: int = 512 * 2**20
    circuit_failures: int = 5
    circuit_pause: float = 30.0

    def __post_init__(self) -> None:
        self._check_url()
        if sum(map(bool, (self.basic_auth, self.bearer_token, self.bearer_token_file))) > 1:
            raise ValueError("give only one of basic_auth, bearer_token and bearer_token_file")
        for name in ("concurrency", "max_points", "max_series", "max_response_bytes", "circuit_failures"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1")
        if self.timeout <= 0 or self.retries < 0:
            raise ValueError("timeout must be above 0, and retries 0 or more")
        for name, value in (*self.headers.items(), ("X-Scope-OrgID", self.tenant or "")):
            require_header_text(name, name + value)
        require_header_text("bearer_token", self.bearer_token)

    def _check_url(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("url must be an address such as http://localhost:9090")
        if parts.username or parts.password:
            raise ValueError("url must not hold a user name or password: use basic_auth")
        if parts.query or parts.fragment:
            raise ValueError("url must end with its path: no parameters, no fragment")


def require_header_text(name: str, text: str) -> None:
    """ValueError naming `name`, and never the text, where HTTP does not allow it in a header."""
    if not (text.isascii() and text.isprintable()):
        raise ValueError(f"{name} holds a character that HTTP does not allow in a header")
