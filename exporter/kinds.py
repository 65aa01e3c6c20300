"""Kinds of values that `tidemark.yml` is made of, and the sections that several others share."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    model_validator,
)

from exporter.durations import parse_adapts, parse_budget, parse_duration, parse_sensitivity

HOUR = 3_600.0


def _duration(found: Any) -> Any:
    if not isinstance(found, str):
        raise ValueError("expected a duration in Prometheus syntax, such as 30s, 5m, 1h30m or 14d")
    return parse_duration(found)


def _budget(found: Any) -> Any:
    if not isinstance(found, str):
        raise ValueError("expected a rate of false alarms per series, such as '1 per week'")
    return parse_budget(found)


def _sensitivity(found: Any) -> Any:
    if not isinstance(found, str):
        raise ValueError("expected low, normal, high, or a rate of false alarms such as '1 per week'")
    return parse_sensitivity(found)


def _adapts(found: Any) -> Any:
    if not isinstance(found, str):
        raise ValueError("expected fast, normal, slow, or a duration such as 12h")
    return parse_adapts(found)


def _pattern(found: str) -> str:
    try:
        re.compile(found)
    except re.error as error:
        raise ValueError(f"expected a regular expression: {error}") from None
    return found


def _positive(seconds: float) -> float:
    if seconds <= 0:
        raise ValueError("expected a duration above zero")
    return seconds


def _whole_hours(seconds: float) -> float:
    if seconds % HOUR:
        raise ValueError("expected whole hours, such as 24h")
    return seconds


def _window(seconds: float) -> float:
    if not 6 * HOUR <= seconds <= 72 * HOUR:
        raise ValueError("expected from 6h to 3d")
    return seconds


def http_url(found: str) -> str:
    """`found` without a trailing slash; ValueError when it is no plain HTTP address."""
    parts = urlsplit(found)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("expected a URL such as http://localhost:9090")
    if parts.username or parts.password:
        raise ValueError("expected a URL without credentials, found some: use basic_auth")
    return found.rstrip("/")


def _time_zone(found: str) -> str:
    if found not in available_timezones():
        raise ValueError("expected an IANA time zone such as Europe/Berlin or UTC")
    return found


def _query_name(found: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.:-]*", found):
        raise ValueError("expected a name of letters, digits, '_', '-', '.' or ':' that starts with a letter")
    return found


def _filled(found: str) -> str:
    if not found.strip():
        raise ValueError("expected text, found only white space")
    return found


Interval = Annotated[float, BeforeValidator(_duration), AfterValidator(_positive)]
WholeHours = Annotated[Interval, AfterValidator(_whole_hours)]
Window = Annotated[WholeHours, AfterValidator(_window)]
Offset = Annotated[float, BeforeValidator(_duration)]
Budget = Annotated[float, BeforeValidator(_budget)]
Sensitivity = Annotated[float, BeforeValidator(_sensitivity)]
Adapts = Annotated[float, BeforeValidator(_adapts), AfterValidator(_positive)]
Pattern = Annotated[str, AfterValidator(_pattern)]
HttpUrl = Annotated[str, AfterValidator(http_url)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
QueryName = Annotated[str, AfterValidator(_query_name)]
Text = Annotated[str, AfterValidator(_filled)]


class Section(BaseModel):
    """A mapping of the file: frozen, and closed to keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, validate_default=False)


class BasicAuth(Section):
    """User and password for the server; the password comes from a file or from `${ENV}`."""

    username: Text
    password: SecretStr | None = None
    password_file: Path | None = Field(default=None, strict=False)

    @model_validator(mode="after")
    def _one_password(self) -> BasicAuth:
        if (self.password is None) == (self.password_file is None):
            raise ValueError("expected exactly one of password_file and password")
        return self


class Authorization(Section):
    """An `Authorization` header: its type and its credentials, from a file or from `${ENV}`."""

    type: Text = "Bearer"
    credentials: SecretStr | None = None
    credentials_file: Path | None = Field(default=None, strict=False)

    @model_validator(mode="after")
    def _one_credential(self) -> Authorization:
        if (self.credentials is None) == (self.credentials_file is None):
            raise ValueError("expected exactly one of credentials_file and credentials")
        return self


class TlsConfig(Section):
    """TLS towards the server, as in Prometheus' `tls_config`."""

    ca_file: Path | None = Field(default=None, strict=False)
    cert_file: Path | None = Field(default=None, strict=False)
    key_file: Path | None = Field(default=None, strict=False)
    server_name: Text | None = None
    insecure_skip_verify: bool = False

    @model_validator(mode="after")
    def _pair(self) -> TlsConfig:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("expected cert_file and key_file together, or neither")
        return self


class Http(Section):
    """How a server is asked: who asks, through what, and how long an answer may take."""

    basic_auth: BasicAuth | None = None
    authorization: Authorization | None = None
    headers: dict[str, str] = Field(default_factory=dict)
    tls_config: TlsConfig = TlsConfig()
    proxy_url: HttpUrl | None = None
    timeout: Interval = 30.0

    @model_validator(mode="after")
    def _one_auth(self) -> Http:
        if self.basic_auth and self.authorization:
            raise ValueError("expected only one of basic_auth and authorization")
        return self
