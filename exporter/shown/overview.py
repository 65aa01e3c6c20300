"""The whole of what the landing page shows."""

from __future__ import annotations

from exporter import __version__
from exporter.config.file import LoadedConfig
from exporter.cycle.cycle import Cycle
from exporter.cycle.turns import Failure
from exporter.metrics.telemetry import revision
from exporter.query.scorer import Scorer
from exporter.shown.drifting import drifting
from exporter.shown.findings import strange
from exporter.shown.status import Links, QueryStatus, State, Status
from exporter.tsdb.settings import Flavour


def overview(cycle: Cycle, loaded: LoadedConfig, about: Links, loaded_at: float, reload_error: str) -> Status:
    """How everything stands at this moment; computed in the thread of who asks, from what is frozen."""
    snapshot, failures, now = cycle.snapshot, cycle.failures, cycle.clock.time()
    return Status(
        version=__version__,
        revision=revision(),
        now=now,
        queries=[query_status(it, failures.get(it.query.name), now) for it in cycle.scorers.values()],
        strange=strange(snapshot, cycle.recent),
        drifting=drifting(snapshot),
        last_cycle_time=cycle.last_pass,
        last_cycle_seconds=cycle.last_seconds,
        interval=loaded.config.scoring.interval,
        tsdb_url=loaded.config.tsdb.url,
        tsdb_up=not any(it.reason in ("unreachable", "circuit_open") for it in failures.values()),
        config_sha256=loaded.sha256,
        config_loaded_time=loaded_at,
        config_error=reload_error,
        links=about,
    )


def links(loaded: LoadedConfig, flavour: Flavour | None) -> Links:
    """The addresses of other programs; graphs are drawn by the TSDB itself unless a Prometheus is named."""
    named, tsdb = loaded.config.web.links, loaded.config.tsdb.url
    own = f"{tsdb}/vmui/" if flavour == "victoriametrics" else f"{tsdb}/graph"
    graph = f"{named.prometheus}/graph" if named.prometheus else own
    return Links(named.grafana or "", named.prometheus or tsdb, graph, named.runbooks)


def query_status(scorer: Scorer, failure: Failure | None, now: float) -> QueryStatus:
    """One query, and why its last turn failed if it did."""
    counts, query = scorer.counts, scorer.query
    return QueryStatus(
        name=query.name,
        expr=query.expr,
        state="failing" if failure else _state(scorer, now),
        scored=counts.get("scored", 0),
        learning=counts.get("learning", 0),
        missing=counts.get("missing", 0),
        paused=counts.get("paused", 0),
        dropped=scorer.dropped,
        bootstrap_ratio=scorer.progress,
        last_score_time=scorer.scores.time if scorer.scores else None,
        reason=failure.reason if failure else "",
        detail=failure.message if failure else "",
        model=query.model,
    )


def _state(scorer: Scorer, now: float) -> State:
    scored, learning, paused = (scorer.counts.get(it, 0) for it in ("scored", "learning", "paused"))
    if scorer.scores and not scorer.fresh(now):
        return "stale"
    if scored:
        return "scored"
    if learning or not scorer.counts:
        return "learning"
    return "paused" if paused else "empty"
