"""The drift scores of the last run, by row of the series as they are now."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from exporter.frame import Floats

VALID = 3 * 3_600.0
"""Seconds after the end of its window for which a score is believed: two runs may fail before it is gone."""


class Latest:
    """The combined scores of the series that drift; the others have 0."""

    def __init__(self) -> None:
        self._time, self._scores = 0, dict[bytes, float]()
        self._rendered: tuple[bytes, ...] = ()
        self._rows = np.zeros(0)

    def take(self, time: int, scores: Mapping[bytes, float]) -> None:
        """What was found of the window that ended at Unix second `time`, by rendered labels."""
        self._time, self._scores, self._rendered = time, dict(scores), ()

    def of(self, rendered: tuple[bytes, ...], time: int) -> Floats:
        """The scores (S,) of the series with these labels, as they are known at Unix second `time`."""
        if rendered is not self._rendered:
            self._rows = np.array([self._scores.get(labels, 0.0) for labels in rendered])
            self._rendered = rendered
        return self._rows if time - self._time < VALID else np.zeros(len(rendered))
