"""Several models side by side; each series is judged by the one that draws the narrowest calibrated band."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from exporter import columns
from exporter.columns import Fields
from exporter.frame import Floats, Mask, Rows
from exporter.models.contract import Acquainted, Model, Recurring, Scores, Settings, State, Telling
from exporter.models.holt_winters import HoltWinters
from exporter.models.quantile import Quantile
from exporter.models.rate_of_change import RateOfChange
from exporter.models.seasonal import Seasonal

CANDIDATES: dict[str, Callable[[Settings, int], Model]] = {
    "seasonal": Seasonal,
    "holt_winters": HoltWinters,
    "quantile": Quantile,
    "rate_of_change": RateOfChange,
}
"""In the order of preference among equals; the first is the choice until there is reason for another."""

MARGIN = math.log(1.25)
"""Another model must be so much narrower, in natural logarithms, before it takes over."""

MEMORY = 168.0
"""Hours over which widths are averaged."""

FEWEST = 24
"""Judged hours before a first choice, and between two."""

_WIDEST = 1e30

OWN: Fields = {
    "width": (len(CANDIDATES), np.float32, 0),
    "judged": (0, np.float32, 0),
    "judged_hour": (0, np.int32, -1),
    "chosen": (0, np.int8, 0),
}
"""`width`: mean logarithm of each candidate's band; `judged`: hours in it; `chosen`: the candidate's row."""


class Auto:
    """The candidates learn together; hourly their bands are compared, daily a narrower one takes over."""

    def __init__(self, settings: Settings, rows_: int = 0) -> None:
        """A model of `rows_` fresh series."""
        self.settings = settings
        self._models = {name: make(settings, rows_) for name, make in CANDIDATES.items()}
        self._own = columns.fresh(OWN, rows_)

    @property
    def state(self) -> State:
        """The candidates' arrays, prefixed with the candidate's name, and those of the choice."""
        parts = {f"{of}.{name}": a for of, model in self._models.items() for name, a in model.state.items()}
        return self._own | parts

    @state.setter
    def state(self, state: State) -> None:
        self._own = {name: state[name] for name in OWN}
        for of, model in self._models.items():
            model.state = {name: state[f"{of}.{name}"] for name in model.state}

    def ready(self) -> Mask:
        """Which series have left their warm-up, shape (S,)."""
        return next(iter(self._models.values())).ready()

    def choices(self) -> tuple[Sequence[str], Rows]:
        """The candidates' names, and by which of them each series is judged, (S,)."""
        return tuple(self._models), self._own["chosen"].astype(np.intp)

    def season(self, time: float) -> Floats:
        """What the default model's season adds to the level at Unix second `time`, (S,)."""
        default = self._models["seasonal"]
        assert isinstance(default, Recurring)
        return default.season(time)

    def told(self) -> dict[str, tuple[Floats, Floats]]:
        """What the views of the default model made of the last value, NaN where another one judges."""
        default = self._models["seasonal"]
        assert isinstance(default, Telling)
        mine = self._own["chosen"] == list(self._models).index("seasonal")
        both = default.told().items()
        return {
            name: (np.where(mine, one, np.nan), np.where(mine, other, np.nan)) for name, (one, other) in both
        }

    def acquainted(self) -> dict[str, Floats]:
        """How much the default model knows of its seasons, (S,)."""
        default = self._models["seasonal"]
        assert isinstance(default, Acquainted)
        return default.acquainted()

    def reasons(self) -> Floats:
        """How wide each candidate's band has been against that of the first, (C, S); NaN before a day."""
        width = np.where(self._own["judged"] >= FEWEST, self._own["width"], np.nan)
        ratio: Floats = np.exp(width - width[0])
        return ratio

    def select(self, rows_: Rows) -> None:
        """Rearrange the state so that new row i is old row `rows_[i]`, or a fresh series where that is -1."""
        columns.select(self._own, OWN, rows_)
        for model in self._models.values():
            model.select(rows_)

    def put(self, rows_: Rows, other: Model) -> None:
        """Overwrite `rows_` with the series of `other`, a model of the same kind and settings."""
        columns.put(self.state, rows_, other.state)

    def step(
        self,
        time: int,
        values: Floats,
        learn: Mask,
        *,
        band: bool = True,
        strictness: Floats | float = 1.0,
        sunday: Mask | None = None,
    ) -> Scores:
        """Let every candidate score and learn; what counts is the score of the one that is chosen."""
        hour = time // 3_600
        due = learn & (np.abs(values) < _WIDEST) & self.ready() & (self._own["judged_hour"] != hour)
        if due.any():
            self._judge(time, values, due)
        candidates = self._models.values()
        found = [
            model.step(time, values, learn, band=band, strictness=strictness, sunday=sunday)
            for model in candidates
        ]
        return Scores(*self._taken(found))

    def _taken(self, found: Sequence[Scores]) -> Floats:
        """The five rows of each series' chosen candidate, (5, S)."""
        chosen = self._own["chosen"]
        first = found[0]
        out = np.array([first.score, first.deviation, first.expected, first.lower, first.upper])
        for number, it in enumerate(found[1:], start=1):
            mine = chosen == number
            if mine.any():
                for row, values in enumerate((it.score, it.deviation, it.expected, it.lower, it.upper)):
                    np.copyto(out[row], values, where=mine)
        return out

    def _judge(self, time: int, values: Floats, due: Mask) -> None:
        """Take in this hour's widths of the series in `due`, and choose where a day has gone by.

        The bands are those of the standard budget, so that the choice does not hang on the sensitivity.
        """
        own = self._own
        wide = np.stack([_width(_glance(it, time, values), self.settings) for it in self._models.values()])
        wide = np.log(np.clip(np.nan_to_num(wide, nan=_WIDEST), 1 / _WIDEST, _WIDEST))
        own["judged"] += due
        own["width"] += due * np.maximum(1 / np.maximum(own["judged"], 1), 1 / MEMORY) * (wide - own["width"])
        own["judged_hour"][due] = time // 3_600
        ripe = due & (own["judged"] % FEWEST == 0)
        if ripe.any():
            self._choose(ripe)

    def _choose(self, ripe: Mask) -> None:
        own = self._own
        width, every = own["width"], np.arange(len(own["chosen"]))
        best = np.argmin(width, axis=0)
        better = width[best, every] < width[own["chosen"], every] - MARGIN
        np.copyto(own["chosen"], best.astype(np.int8), where=ripe & better)


def _glance(model: Model, time: int, values: Floats) -> Scores:
    """What `model` would say with its band, while nothing is learnt, nor the sustained score moved."""
    sustained = model.state["sustained"].copy()
    scores = model.step(time, values, np.zeros(len(values), bool))
    model.state["sustained"][...] = sustained
    return scores


def _width(scores: Scores, settings: Settings) -> Floats:
    """How far the band reaches from the expected value, over the sides that are watched, (S,)."""
    above, below = scores.upper - scores.expected, scores.expected - scores.lower
    if settings.direction == "up":
        return above
    return below if settings.direction == "down" else above + below
