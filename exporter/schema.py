"""The shape of `tidemark.yml`: every section and key, its type, default and what may be written there."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Annotated, Any, Literal
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

from exporter.durations import format_duration, parse_adapts, parse_budget, parse_duration, parse_sensitivity

Output = Literal["score", "deviation", "value", "band", "shift", "quality", "confidence"]
WEEK = 7 * 86_400.0
ModelName = Literal[
    "seasonal", "holt_winters", "quantile", "rate_of_change", "stl", "ets", "peers", "static", "auto"
]
ALL_OUTPUTS: tuple[Output, ...] = ("score", "deviation", "value", "band", "shift", "quality")


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
    """User and password for the TSDB; the password comes from a file or from `${ENV}`."""

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
    """TLS towards the TSDB, as in Prometheus' `tls_config`."""

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


class Tsdb(Section):
    """Where the metrics are read from, and how politely."""

    url: HttpUrl
    flavour: Literal["auto", "prometheus", "victoriametrics"] = "auto"
    basic_auth: BasicAuth | None = None
    authorization: Authorization | None = None
    headers: dict[str, str] = Field(default_factory=dict)
    tenant: Text | None = None
    tenant_path: Text | None = None
    tls_config: TlsConfig = TlsConfig()
    proxy_url: HttpUrl | None = None
    compression: Literal["auto", "gzip", "identity"] = "auto"
    timeout: Interval = 30.0
    concurrency: int = Field(default=4, ge=1, le=64)
    retries: int = Field(default=3, ge=0, le=10)
    points_per_request: int = Field(default=1_000_000, ge=11_000)
    series_limit: int = Field(default=150_000, ge=1)
    response_limit_bytes: int = Field(default=512 * 1024 * 1024, ge=1024 * 1024)

    @model_validator(mode="after")
    def _one_auth(self) -> Tsdb:
        if self.basic_auth and self.authorization:
            raise ValueError("expected only one of basic_auth and authorization")
        return self


class Domain(Section):
    """The values that a query can take at all; the band never leaves them."""

    min: float = Field(default=-math.inf, strict=False)
    max: float = Field(default=math.inf, strict=False)

    @model_validator(mode="after")
    def _ordered(self) -> Domain:
        if not self.min < self.max:
            raise ValueError(f"expected min below max, found {self.min:g} and {self.max:g}")
        return self


class Category(Section):
    """Series that are watched alike: those whose labels match `match` in all of it."""

    name: Text
    match: dict[str, Pattern] = Field(min_length=1)
    sensitivity: Sensitivity


def _distinct(found: tuple[Category, ...]) -> tuple[Category, ...]:
    names = [it.name for it in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"expected every name once, found twice: {', '.join(twice)}")
    return found


Categories = Annotated[tuple[Category, ...], Field(strict=False), AfterValidator(_distinct)]


class Normal(Section):
    """What is normal by decree, for `model: static`; one end may be left open."""

    min: float = Field(default=-math.inf, strict=False)
    max: float = Field(default=math.inf, strict=False)

    @model_validator(mode="after")
    def _ordered(self) -> Normal:
        if math.isinf(self.min) and math.isinf(self.max):
            raise ValueError("expected min, max or both")
        if not self.min < self.max:
            raise ValueError(f"expected min below max, found {self.min:g} and {self.max:g}")
        return self


class Tuning(Section):
    """What may stand in `scoring` as the default of all queries, and in a query for itself alone."""

    step: Interval = 60.0
    offset: Offset = 30.0
    history: Interval = 21 * 86_400.0
    warm_up: Interval = 2 * 86_400.0
    sensitivity: Sensitivity | None = None
    false_alarms: Budget | None = None
    adapts: Adapts = 6 * 3_600.0
    model: ModelName = "seasonal"
    outputs: tuple[Output, ...] = Field(default=ALL_OUTPUTS, strict=False, min_length=1)
    max_series: int = Field(default=10_000, ge=1)

    @property
    def budget(self) -> float:
        """Seconds between the false alarms that a healthy series may raise."""
        return self.sensitivity or self.false_alarms or WEEK

    @model_validator(mode="after")
    def _one_budget(self) -> Tuning:
        if self.sensitivity and self.false_alarms:
            raise ValueError("expected only one of sensitivity and false_alarms")
        return self


class Scoring(Tuning):
    """The rhythm of the cycle, the time zone of its seasons, and the defaults of every query."""

    interval: Interval = 60.0
    time_zone: TimeZone = "UTC"


class Query(Tuning):
    """One expression, and what is normal for its series."""

    name: QueryName
    expr: Text
    direction: Literal["both", "up", "down"] = "both"
    minimum_deviation: float = Field(default=0.0, ge=0, strict=False)
    minimum_relative_deviation: float = Field(default=0.0, ge=0, strict=False)
    domain: Domain = Domain()
    missing: Literal["skip", "zero"] = "skip"
    stuck_after: Interval = 3_600.0
    categories: Categories = ()
    peers_by: tuple[Text, ...] = Field(default=(), strict=False)
    normal: Normal | None = None

    @model_validator(mode="after")
    def _possible(self) -> Query:
        if self.step < 1 or self.step % 1:
            raise ValueError("step: expected whole seconds")
        if self.history < self.warm_up:
            raise ValueError(
                f"history ({format_duration(self.history)}) is shorter than "
                f"warm_up ({format_duration(self.warm_up)}): no series would ever be scored"
            )
        return self

    @model_validator(mode="after")
    def _of_its_model(self) -> Query:
        if self.model == "static" and self.normal is None:
            raise ValueError("normal: is required with model: static, such as {min: 0, max: 0.8}")
        if self.model != "static" and self.normal is not None:
            raise ValueError(f"normal: only model: static has it, this query has model: {self.model}")
        if self.model != "peers" and self.peers_by:
            raise ValueError(f"peers_by: only model: peers has it, this query has model: {self.model}")
        return self


class Group(Section):
    """Queries whose series belong together where the labels `by` agree: one joint score for each service."""

    name: QueryName
    by: tuple[Text, ...] = Field(strict=False)
    queries: tuple[Text, ...] = Field(strict=False)
    method: Literal["isolation_forest", "mahalanobis"] = "isolation_forest"
    false_alarms: Budget = 7 * 86_400.0
    refit: Interval = 86_400.0


class StateStore(Section):
    """Where the cache of what was learnt lies, and how often it is written."""

    path: Path = Field(default=Path("tidemark-state"), strict=False)
    save_interval: Interval = 300.0


class Web(Section):
    """Defaults of the `--web.*` flags; a flag given on the command line wins."""

    listen_addresses: tuple[Text, ...] = Field(default=(":10063",), strict=False, min_length=1)
    config_file: Path | None = Field(default=None, strict=False)
    external_url: HttpUrl | None = None
    enable_lifecycle: bool = False


class Config(Section):
    """The whole file, as frozen values. Durations are seconds; secrets from files are read by `load`."""

    tsdb: Tsdb
    queries: tuple[Query, ...] = Field(strict=False, min_length=1)
    scoring: Scoring = Scoring()
    categories: Categories = ()
    groups: tuple[Group, ...] = Field(default=(), strict=False)
    state: StateStore = StateStore()
    web: Web = Web()

    @model_validator(mode="after")
    def _distinct(self) -> Config:
        names = [query.name for query in self.queries]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"queries: every name may stand once, found twice: {', '.join(twice)}")
        return self
