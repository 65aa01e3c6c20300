"""What is known of each series beside its scores, frozen with them for who asks about one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from exporter.frame import Floats
from exporter.models.contract import Model, Telling
from exporter.query.population import Population


def facts(series: Population, time: int, beside: Mapping[str, Floats]) -> dict[str, Floats]:
    """By name, each (S,), as of Unix second `time`: nothing that is learnt later changes them.

    `since`: when the newest happening above the edge began, in Unix seconds, as is `last_seen`; `points`: how
    many were seen; `complete`: share of the last day's points that were good; `raised`: by what near misses
    raise the edge; `model`: the number of the one that judges; `drift`: the last drift score, 0 below 3.
    `expected.` and `evidence.` with the name of a view: what it made of the last value, if the model tells.
    `beside`: what the population says beside the scores, taken over as it is.
    """
    rows, record = len(series), series.record.state
    raised = np.broadcast_to(series.model.state.get("factor", np.float32(1)), rows)
    return {
        "since": record["since"].copy(),
        "last_seen": series.roster.last_seen.copy(),
        "points": record["points"].copy(),
        "complete": series.quality.state["share"].copy(),
        "raised": raised.copy(),
        "model": series.choices()[1].copy(),
        "drift": series.drifting.of(series.roster.rendered, time),
        **_told(series.model),
        **beside,
    }


def _told(model: Model) -> dict[str, Floats]:
    told = model.told() if isinstance(model, Telling) else {}
    found: dict[str, Floats] = {}
    for name, (expected, evidence) in told.items():
        found |= {f"expected.{name}": expected, f"evidence.{name}": evidence}
    return found
