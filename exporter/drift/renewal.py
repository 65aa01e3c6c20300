"""When a reference is learnt anew, and which series keep theirs: those that drift from it."""

from __future__ import annotations

import numpy as np

from exporter.drift.hours import Past
from exporter.drift.reference import Reference

REPORTED = 3.0
"""From this score on a drift is told with its time and size: below it, the scale calls it normal."""

HELD = 6 * 24
"""Hours after which a change is accepted: so much older the reference of a series that drifts may be."""


def is_due(reference: Reference | None, window: int, refresh: int, hour: int) -> bool:
    """Whether to learn anew at Unix hour `hour`, which lies before the reference if the clock went back."""
    if reference is None or reference.window != window:
        return True
    return not 0 <= hour - window - reference.end < refresh


def renewed(old: Reference | None, past: Past, window: int) -> Reference:
    """The reference from `past` but its last window; `old`, of the same series, stays for those that drift.

    Otherwise the first days of a change would be the reference's own worst days, and the score would call
    them normal after one.
    """
    newer = Reference.learn(past.until(past.end - window), window)
    if old is None or old.window != window:
        return newer
    drifting = old.scores(past)["combined"] >= REPORTED
    held = np.flatnonzero(drifting & (newer.end - old.arrays["learnt"] < HELD))
    for name, array in newer.arrays.items():
        array[..., held] = old.arrays[name][..., held]
    return newer
