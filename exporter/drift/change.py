"""When a drift began, and how large it is: the likeliest change point of the residuals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exporter.drift import MEAN, MOVEMENT
from exporter.drift.hours import HOUR, Past
from exporter.drift.like import median
from exporter.drift.reference import Reference
from exporter.frame import Floats

CLIP = 3.0
SHORTEST = 6
"""Hours that a change lasts at least."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Of S series: Unix second of the change, shift of the level in the query's unit, ratio of movement."""

    time: Floats
    shift: Floats
    movement_ratio: Floats


def changes(reference: Reference, past: Past) -> Changes:
    """The likeliest change of each series in `past` that lasts to its end; NaN where nothing is known.

    The moment is that of level or movement, whichever is the clearer; the sizes are medians over the last
    window.
    """
    starts, gains = change_point(np.nan_to_num(reference.residuals(past)))
    began = np.take_along_axis(starts, gains.argmax(axis=0)[None], axis=0)[0]
    time = (past.end - past.span + began) * float(HOUR)
    recent = median(reference.differences(past.last(reference.window)))
    time[~np.isfinite(recent[MEAN])] = np.nan
    shift = recent[MEAN] * reference.arrays["unit"]
    return Changes(time, shift, np.exp(np.clip(recent[MOVEMENT], -50, 50)))


def change_point(residual: Floats) -> tuple[Floats, Floats]:
    """Since which index `residual` (F, S, T), clipped, is likeliest to have shifted, and the gain, (F, S).

    The cumulative sum from k to the end, squared, over its length: the log likelihood of a mean that changed
    at k from 0 to whatever fits best (Hinkley 1970), which is Page's CUSUM with the size unknown.
    """
    size = residual.shape[2]
    sums = np.cumsum(np.clip(residual, -CLIP, CLIP)[:, :, ::-1], axis=2, dtype=float)[:, :, ::-1]
    gain = np.square(sums) / np.arange(size, 0, -1)
    gain = gain[:, :, : max(size - SHORTEST + 1, 1)]
    at = gain.argmax(axis=2)
    return at.astype(float), np.take_along_axis(gain, at[..., None], axis=2)[..., 0]
