"""The web config file: TLS, response headers and basic auth, re-read whenever it or a certificate changes.

The format is a subset of the exporter-toolkit's; docs/http.md lists the keys. A key outside it is an error.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import structlog
import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

log = structlog.get_logger(__name__)

TLS_VERSIONS = {"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3}
CLIENT_AUTH = {
    "NoClientCert": ssl.CERT_NONE,
    "VerifyClientCertIfGiven": ssl.CERT_OPTIONAL,
    "RequireAndVerifyClientCert": ssl.CERT_REQUIRED,
}

TlsVersion = Literal["TLS12", "TLS13"]
ClientAuth = Literal["NoClientCert", "VerifyClientCertIfGiven", "RequireAndVerifyClientCert"]
HeaderName = Literal[
    "Content-Security-Policy",
    "Strict-Transport-Security",
    "X-Content-Type-Options",
    "X-Frame-Options",
    "X-XSS-Protection",
]
BCRYPT = r"^\$2[aby]\$(0[4-9]|[12][0-9]|3[01])\$[./A-Za-z0-9]{53}$"


class WebConfigError(ValueError):
    """The web config file cannot be used; the message has one line for each thing to mend."""


def _printable(text: str) -> str:
    if not (text.isascii() and text.isprintable()):
        raise ValueError("a header value is printable ASCII on one line")
    return text


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TlsServerConfig(_Section):
    """Where the certificate is, and who may connect. Relative paths start at the file's directory."""

    cert_file: Path
    key_file: Path
    client_ca_file: Path | None = None
    client_auth_type: ClientAuth = "NoClientCert"
    min_version: TlsVersion = "TLS12"
    max_version: TlsVersion = "TLS13"

    @model_validator(mode="after")
    def _settings_agree(self) -> Self:
        if (self.client_ca_file is None) != (self.client_auth_type == "NoClientCert"):
            raise ValueError("client_ca_file and a client_auth_type other than NoClientCert go together")
        if self.min_version > self.max_version:
            raise ValueError(f"min_version {self.min_version} is above max_version {self.max_version}")
        return self

    def files(self, directory: Path) -> list[Path]:
        """The files this section names, as absolute paths."""
        return [directory / path for path in (self.cert_file, self.key_file, self.client_ca_file) if path]

    def context(self, directory: Path) -> ssl.SSLContext:
        """A server context for new connections; OSError when a file is missing or does not fit."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(directory / self.cert_file, directory / self.key_file)
        context.minimum_version = TLS_VERSIONS[self.min_version]
        context.maximum_version = TLS_VERSIONS[self.max_version]
        if self.client_ca_file:
            context.load_verify_locations(directory / self.client_ca_file)
        context.verify_mode = CLIENT_AUTH[self.client_auth_type]
        return context


class HttpServerConfig(_Section):
    """Headers added to every response."""

    headers: dict[HeaderName, Annotated[str, AfterValidator(_printable)]] = Field(default_factory=dict)


class WebConfig(_Section):
    """One valid reading of the file. `basic_auth_users` maps a user to a bcrypt hash; empty: no password."""

    tls_server_config: TlsServerConfig | None = None
    http_server_config: HttpServerConfig = HttpServerConfig()
    basic_auth_users: dict[str, Annotated[str, StringConstraints(pattern=BCRYPT)]] = Field(
        default_factory=dict
    )


def parse_web_config(document: object) -> WebConfig:
    """Freeze a parsed YAML document (None for an empty file); WebConfigError lists every fault."""
    try:
        return WebConfig.model_validate({} if document is None else document)
    except ValidationError as error:
        raise WebConfigError("\n".join(_lines(error))) from None


def _lines(error: ValidationError) -> Iterator[str]:
    for fault in error.errors(include_url=False, include_input=False):
        path = ".".join(str(part) for part in fault["loc"] if part != "[key]") or "top level"
        yield f"{path}: {_reason(fault['type'], fault['msg'])}"


def _reason(kind: str, message: str) -> str:
    if kind == "extra_forbidden":
        return "unsupported key; docs/http.md lists the keys that are understood"
    if kind == "string_pattern_mismatch":
        return "not a bcrypt hash; make one with `htpasswd -nBC 10 USER`"
    return message.removeprefix("Value error, ").removeprefix("Input should be ")


class WebConfigFile:
    """The file on disk: `current()` and `context()` are its latest valid reading.

    A change that does not parse is logged once and the reading before it stays in force.
    """

    def __init__(self, path: Path) -> None:
        """Read the file; WebConfigError when it is missing or wrong."""
        self._path = path
        self._seen: tuple[object, ...] = ()
        self._config, self._context = self._read()

    def current(self) -> WebConfig:
        """The settings in force."""
        self._refresh()
        return self._config

    def context(self) -> ssl.SSLContext | None:
        """The TLS context for a new connection, or None for plain HTTP."""
        self._refresh()
        return self._context

    def _refresh(self) -> None:
        fingerprint = self._fingerprint()
        if fingerprint == self._seen:
            return
        self._seen = fingerprint
        try:
            self._config, self._context = self._read()
        except WebConfigError as error:
            log.error("web config not re-read; the one before stays in force", error=str(error))

    def _read(self) -> tuple[WebConfig, ssl.SSLContext | None]:
        try:
            config = parse_web_config(self._document())
        except OSError as error:
            raise WebConfigError(f"{self._path}: cannot be read: {error.strerror}") from None
        except ValueError as error:
            raise WebConfigError(_prefixed(self._path, str(error))) from None
        return config, self._build_context(config.tls_server_config)

    def _document(self) -> Any:
        try:
            return yaml.safe_load(self._path.read_text(encoding="utf-8"))
        except yaml.YAMLError as error:
            mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", error)
            raise WebConfigError(f"line {mark.line + 1 if mark else 1}: is not YAML: {problem}") from None

    def _build_context(self, tls: TlsServerConfig | None) -> ssl.SSLContext | None:
        try:
            return tls.context(self._path.parent) if tls else None
        except OSError as error:
            missing = [path for path in tls.files(self._path.parent) if not path.is_file()] if tls else []
            reason = f"no such file: {missing[0]}" if missing else f"certificate and key do not load: {error}"
            raise WebConfigError(_prefixed(self._path, f"tls_server_config: {reason}")) from None

    def _fingerprint(self) -> tuple[tuple[int, int, int] | None, ...]:
        tls = self._config.tls_server_config
        files = tls.files(self._path.parent) if tls else []
        return tuple(_stamp(path) for path in [self._path, *files])


class CurrentContext(ssl.SSLContext):
    """Stands for the TLS settings of a file as they are when a connection arrives."""

    _file: WebConfigFile

    def __new__(cls, file: WebConfigFile) -> Self:
        """A context that asks `file` for each connection."""
        it = super().__new__(cls, ssl.PROTOCOL_TLS_SERVER)
        it._file = file
        return it

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        """What asyncio calls for each new connection; without a certificate no handshake succeeds."""
        context = self._file.context()
        return context.wrap_bio(*args, **kwargs) if context else super().wrap_bio(*args, **kwargs)


def _prefixed(path: Path, lines: str) -> str:
    return "\n".join(f"{path}: {line}" for line in lines.splitlines())


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size
