"""What drift remembers of one query, as it is stored, and back."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import orjson

from exporter.drift.hours import Hours
from exporter.drift.reference import Reference, unknown
from exporter.drift.watch import Known

Arrays = dict[str, np.ndarray]


def packed(hours: Hours | None, known: Known | None) -> Arrays:
    """The ring and the reference, nothing where no drift is watched."""
    if hours is None:
        return {}
    arrays = {f"hours.{name}": array for name, array in hours.state.items()}
    if known:
        reference = known.reference
        about = {"end": reference.end, "window": reference.window, "sha256": known.sha256}
        arrays |= {f"reference.{name}": array for name, array in reference.arrays.items()}
        arrays["about"] = np.frombuffer(orjson.dumps(about), np.uint8)
        arrays["series"] = np.frombuffer(b"\n".join(known.series), np.uint8)
    return arrays


def recall(hours: Hours, arrays: Mapping[str, np.ndarray], time: int) -> bool:
    """Let `hours` go on after Unix second `time`; False, and nothing changed, when `arrays` has no ring."""
    ring = {name: array for name in hours.state if (array := arrays.get(f"hours.{name}")) is not None}
    if not _alike(ring, hours.state):
        return False
    hours.state = ring
    hours.resume(time)
    return True


def reference(arrays: Mapping[str, np.ndarray]) -> Known | None:
    """The reference as it was stored, with the hash it had when it was learnt; None where there is none.

    One of another shape, from another version, is none either: it is learnt anew.
    """
    if "about" not in arrays:
        return None
    about = orjson.loads(arrays["about"].tobytes())
    prefix = "reference."
    own = {name.removeprefix(prefix): it for name, it in arrays.items() if name.startswith(prefix)}
    series = arrays["series"].tobytes()
    labels = tuple(series.split(b"\n")) if series else ()
    known = Known(Reference(about["end"], about["window"], own), labels, about["sha256"])
    return known if _alike(own, unknown(len(labels))) else None


def _alike(one: Arrays, other: Arrays) -> bool:
    shapes = [{name: (array.shape, array.dtype) for name, array in it.items()} for it in (one, other)]
    return shapes[0] == shapes[1]
