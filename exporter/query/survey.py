"""Once an hour, what the models of a query are worth: what they know of the season, which faults they see."""

from __future__ import annotations

import zlib

import numpy as np

from exporter.config.query import Query
from exporter.frame import Floats, Mask, Rows
from exporter.models.contract import Acquainted, Comparing, Model
from exporter.query import dependence
from exporter.query.population import Population

EVERY = 3_600
MOST, MOST_PASTS = 200, 50
"""So many series at most are put to the test, and so many pasts are gone through, evenly over the roster."""

FAULTS = {"zero": 0.0, "doubled": 2.0}
"""By what a planted fault multiplies the value."""


def turn(query: str, time: int) -> int:
    """The number of the hour of `time`; it begins at another moment for each query: not all in one cycle."""
    return (time + zlib.crc32(query.encode()) % EVERY) // EVERY


def season_ratio(series: Population, here: Mask) -> dict[str, float]:
    """The share of each season that is known, mean of the series that are `here` (S,), by its name.

    Nothing where nobody is here, or where the model keeps no such season.
    """
    if not isinstance(series.model, Acquainted) or not here.any():
        return {}
    return {name: float(share[here].mean()) for name, share in series.model.acquainted().items()}


def detection_ratio(series: Population, time: int, values: Floats, scored: Mask) -> dict[str, float]:
    """The share of the `scored` series (S,) in which a fault at the next point would score above 1, by fault.

    `values` (S,): those of Unix second `time`. A fault that the query would not watch, or that its domain
    forbids, is planted nowhere. Nothing where none can be planted, or where series are compared with each
    other.
    """
    if isinstance(series.model, Comparing):
        return {}
    ratios = {}
    for fault, factor in FAULTS.items():
        rows = _sample(scored & _possible(series.query, values, values * factor))
        if len(rows):
            ratios[fault] = float((_probed(series, rows, time, values[rows] * factor) > 1).mean())
    return ratios


def past_figures(series: Population, here: Mask) -> dict[str, float]:
    """By figure: the share of pasts that return to their level, and the independent hours of the median past.

    Of up to MOST_PASTS series that are `here` (S,): the hours that drift remembers, less their daily wave.
    Nothing where drift is not watched, or where no past is known well enough.
    """
    if series.hours is None or series.hours.hour is None:
        return {}
    past = dependence.without_day(series.hours.past().take(_sample(here, MOST_PASTS)).mean)
    past = past[:, dependence.known(past)]
    found = np.array([dependence.returns(it) for it in past.T])
    if not np.isfinite(found).any():
        return {}
    independent = float(np.median(dependence.independent(past)))
    return {
        "stationary_ratio": float((found[np.isfinite(found)] > 1).mean()),
        "effective_samples": round(independent, 1),
    }


def _possible(query: Query, values: Floats, planted: Floats) -> Mask:
    """Where `planted` is another value than `values`, on a side that is watched and in the domain, (S,)."""
    watched = {"both": planted != values, "up": planted > values, "down": planted < values}[query.direction]
    return np.asarray(watched & (planted >= query.domain.min) & (planted <= query.domain.max))


def _sample(mask: Mask, most: int = MOST) -> Rows:
    rows = np.flatnonzero(mask)
    return rows[:: max(1, -(-len(rows) // most))]


def _probed(series: Population, rows: Rows, time: int, values: Floats) -> Floats:
    """The scores of `values` (R,) in `rows` at the point after `time`, by a copy of the model."""
    sunday = series.exclusions.at(time).sunday
    return (
        _copy(series.model, rows)
        .step(
            time + int(series.query.step),
            values,
            np.zeros(len(rows), bool),
            band=False,
            strictness=np.broadcast_to(series.strictness, len(series))[rows],
            sunday=None if sunday is None else sunday[rows],
        )
        .score
    )


def _copy(model: Model, rows: Rows) -> Model:
    copy = type(model)(model.settings, len(rows))
    copy.state = {name: array[..., rows] for name, array in model.state.items()}
    return copy
