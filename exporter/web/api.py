"""What the API answers: documents of stable names, described in docs/api.md; NaN and infinity are null."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from exporter.shown.portrait import Picture, Portrait
from exporter.shown.status import Band, DriftingSeries, Finding, QueryStatus, Status
from exporter.web.addresses import series_page

Document = dict[str, Any]


def encoded(document: Document) -> bytes:
    """A document as JSON text."""
    return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE)


def status_document(it: Status, ready: tuple[bool, str]) -> Document:
    """How everything stands, and what is strange."""
    return {
        "time": it.now,
        "version": it.version,
        "revision": it.revision,
        "ready": {"is_ready": ready[0], "reason": ready[1]},
        "cycle": {"ended": it.last_cycle_time, "seconds": it.last_cycle_seconds, "interval": it.interval},
        "config": {"sha256": it.config_sha256, "loaded": it.config_loaded_time, "error": it.config_error},
        "tsdb": {"url": it.tsdb_url, "up": it.tsdb_up},
        "strange": {
            "series": it.strange.total_series,
            "services": it.strange.total_services,
            "shown": [
                {"service": one.name, "series": one.count, "shown": _findings(one.findings)}
                for one in it.strange.services
            ],
            "nearest": _findings(it.strange.nearest),
        },
        "drift": {"series": it.drifting.total, "shown": [_drift(one) for one in it.drifting.series]},
        "queries": _counts(it.queries),
    }


def queries_document(it: Status) -> Document:
    """Every query and its state."""
    return {"time": it.now, "queries": [_query(one) for one in it.queries]}


def series_document(it: Portrait, pictures: Sequence[Picture]) -> Document:
    """One series, with its past where it was asked for."""
    known = it.knowledge
    return {
        "time": it.now,
        **_finding(it.finding),
        "state": it.state,
        "query_state": it.query_state,
        "point_time": it.time,
        "expr": it.expr,
        "step": it.step,
        "deviation": it.deviation,
        "confidence": it.confidence,
        "doubts": [{"name": name, "factor": factor} for name, factor in it.doubts.items()],
        "views": [{"name": one.name, "expected": one.expected, "share": one.share} for one in it.views],
        "groups": [
            {
                "group": one.group,
                "score": one.score,
                "shares": [{"query": query, "share": share} for query, share in one.shares.items()],
            }
            for one in it.joint
        ],
        "windows": [
            {"reason": one.reason, "effect": one.effect, "start": one.start, "end": one.end}
            for one in it.windows
        ],
        "model": {
            "name": known.model,
            "chosen_by_auto": known.chosen,
            "direction": known.direction,
            "false_alarms_per_week": known.false_alarms_per_week,
            "category": known.category,
            "points": known.points,
            "trained_since": known.trained_since,
            "level_shift_time": known.shift_time,
            "level_shift_size": known.shift_size,
        },
        "forecast": [
            {"horizon": one.horizon, "value": one.value, "lower": one.lower, "upper": one.upper}
            for one in it.ahead
        ],
        "limits": [{"limit": name, "seconds": seconds} for name, seconds in it.seconds_to_limit.items()],
        "drift": _drift(it.drift) if it.drift else None,
        "past": [
            {"reach": one.reach, "source": one.source, "trouble": one.trouble, "points": _points(one.band)}
            for one in pictures
        ],
    }


def _findings(found: Iterable[Finding]) -> list[Document]:
    return [_finding(it) for it in found]


def _finding(it: Finding) -> Document:
    own = it.series
    return {
        "query": own.query,
        "labels": dict(own.labels),
        "score": own.score,
        "value": own.value,
        "expected": own.expected,
        "lower": own.lower,
        "upper": own.upper,
        "direction": own.direction,
        "times_band": own.times_band,
        "since": it.since,
        "page": series_page(own.query, own.labels),
    }


def _drift(it: DriftingSeries) -> Document:
    return {
        "query": it.query,
        "labels": dict(it.labels),
        "score": it.score,
        "since": it.since,
        "shift": it.shift,
        "movement_ratio": it.movement_ratio,
    }


def _query(it: QueryStatus) -> Document:
    return {
        "name": it.name,
        "expr": it.expr,
        "model": it.model,
        "state": it.state,
        "scored": it.scored,
        "learning": it.learning,
        "missing": it.missing,
        "paused": it.paused,
        "dropped": it.dropped,
        "bootstrap_ratio": it.bootstrap_ratio,
        "last_score_time": it.last_score_time,
        "reason": it.reason,
        "detail": it.detail,
        "next_step": it.next_step,
    }


def _counts(queries: Sequence[QueryStatus]) -> Document:
    return {
        "total": len(queries),
        "scored": sum(it.state == "scored" for it in queries),
        "failing": sum(it.state == "failing" for it in queries),
        "series_scored": sum(it.scored for it in queries),
    }


def _points(band: Band) -> list[Document]:
    expected = band.expected or [float("nan")] * len(band.times)
    rows = zip(band.times, band.value, expected, band.lower, band.upper, strict=True)
    names = ("time", "value", "expected", "lower", "upper")
    return [dict(zip(names, row, strict=True)) for row in rows]
