"""The shape of `tidemark.yml`: every section and key, its type, default and what may be written there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from exporter.calendars.timetable import Alertmanager, Calendar, Exclusion, Incidents, Period
from exporter.config.query import Categories, Drift, Query, Scoring
from exporter.kinds import Budget, Http, HttpUrl, Interval, QueryName, Section, Text


class Tsdb(Http):
    """Where the metrics are read from, and how politely."""

    url: HttpUrl
    flavour: Literal["auto", "prometheus", "victoriametrics"] = "auto"
    tenant: Text | None = None
    tenant_path: Text | None = None
    compression: Literal["auto", "gzip", "identity"] = "auto"
    concurrency: int = Field(default=4, ge=1, le=64)
    retries: int = Field(default=3, ge=0, le=10)
    points_per_request: int = Field(default=1_000_000, ge=11_000)
    series_limit: int = Field(default=150_000, ge=1)
    response_limit_bytes: int = Field(default=512 * 1024 * 1024, ge=1024 * 1024)


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


class Pack(Section):
    """A ready set of queries, and how its metrics and labels are called here; a name alone will do."""

    name: Text
    parameters: dict[str, Text] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _named(cls, found: Any) -> Any:
        return {"name": found} if isinstance(found, str) else found


class Links(Section):
    """Addresses of other programs, for the links of the status page."""

    grafana: HttpUrl | None = None
    prometheus: HttpUrl | None = None
    runbooks: HttpUrl = "https://github.com/tidemark/tidemark/blob/main/docs/runbooks"


class Web(Section):
    """Defaults of the `--web.*` flags; a flag given on the command line wins."""

    listen_addresses: tuple[Text, ...] = Field(default=(":10063",), strict=False, min_length=1)
    config_file: Path | None = Field(default=None, strict=False)
    external_url: HttpUrl | None = None
    enable_lifecycle: bool = False
    links: Links = Links()


class Config(Section):
    """The whole file, as frozen values. Durations are seconds; secrets from files are read by `load`."""

    tsdb: Tsdb
    queries: tuple[Query, ...] = Field(strict=False, min_length=1)
    packs: tuple[Pack, ...] = Field(default=(), strict=False)
    scoring: Scoring = Scoring()
    categories: Categories = ()
    drift: Drift = Drift()
    groups: tuple[Group, ...] = Field(default=(), strict=False)
    dependencies: dict[Text, Annotated[tuple[Text, ...], Field(strict=False)]] = Field(default_factory=dict)
    calendars: tuple[Calendar, ...] = Field(default=(), strict=False)
    periods: tuple[Period, ...] = Field(default=(), strict=False)
    exclusions: tuple[Exclusion, ...] = Field(default=(), strict=False)
    incidents: Incidents | None = None
    alertmanager: Alertmanager | None = None
    state: StateStore = StateStore()
    web: Web = Web()

    @property
    def bad_times(self) -> Incidents | None:
        """Which alerts were incidents; whoever names an Alertmanager wants to know."""
        return self.incidents or (Incidents() if self.alertmanager else None)

    @model_validator(mode="after")
    def _distinct(self) -> Config:
        names = [query.name for query in self.queries]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"queries: every name may stand once, found twice: {', '.join(twice)}")
        return self
