"""The roster of a query: which series it has, and the row of each, stable while series come and go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import repeat

import numpy as np

from exporter.frame import DuplicateSeries, Mask, Rows, labels_of
from exporter.metrics.labels import exposed_labels, render_labels

UNKNOWN = -1


class Roster:
    """Rows of S series, found by the bytes with which the server names them.

    A server names a series with the same bytes in every answer, so a known one costs one dictionary look-up.
    Two servers may order labels differently; the label set, not the bytes, is the identity.
    """

    def __init__(self, query: str, keys: Iterable[bytes] = ()) -> None:
        self.query = query
        self.keys: list[bytes] = []
        self.rendered: tuple[bytes, ...] = ()
        self.labels: tuple[dict[str, str], ...] = ()
        self.last_seen = np.zeros(0, np.int64)
        self._rows: dict[bytes, int] = {}
        self._identity: dict[bytes, int] = {}
        self.add(keys)

    def __len__(self) -> int:
        return len(self.keys)

    def locate(self, keys: Sequence[bytes]) -> Rows:
        """The row of each key, -1 where it is not in the roster; DuplicateSeries if a row comes twice."""
        rows = np.fromiter(map(self._rows.get, keys, repeat(UNKNOWN)), np.intp, len(keys))
        known = rows[rows != UNKNOWN]
        if len(known) and np.bincount(known).max() > 1:
            raise DuplicateSeries(_duplicate(self.rendered[np.bincount(known).argmax()]))
        return rows

    def unknown(self, keys: Sequence[bytes]) -> list[bytes]:
        """The keys that belong to no row, after comparing label sets; DuplicateSeries if two are the same."""
        present = set(self.locate(keys).tolist())
        claimed: dict[bytes, bytes] = {}
        for key in keys if UNKNOWN in present else ():
            if key in self._rows:
                continue
            identity = render_labels(exposed_labels(labels_of(key), self.query))
            row = self._identity.get(identity, UNKNOWN)
            if identity in claimed or (row != UNKNOWN and row in present):
                raise DuplicateSeries(_duplicate(identity))
            claimed[identity] = key
        known = [(key, self._identity[it]) for it, key in claimed.items() if it in self._identity]
        self._rows.update(known)
        return [key for it, key in claimed.items() if it not in self._identity]

    def add(self, keys: Iterable[bytes]) -> None:
        """Append one row per key; the keys must be unknown."""
        fresh = list(keys)
        labels = tuple(exposed_labels(labels_of(key), self.query) for key in fresh)
        rendered = tuple(map(render_labels, labels))
        rows = range(len(self.keys), len(self.keys) + len(fresh))
        self._rows.update(zip(fresh, rows, strict=True))
        self._identity.update(zip(rendered, rows, strict=True))
        self.keys += fresh
        self.labels += labels
        self.rendered += rendered
        self.last_seen = np.append(self.last_seen, np.zeros(len(fresh), np.int64))

    def see(self, times: Sequence[int], seen: Mask) -> None:
        """Note who was `seen` (T, S) at which of the Unix seconds `times`, in their order."""
        for time, here in zip(times, seen, strict=True):
            np.copyto(self.last_seen, time, where=here)

    def selected(self, rows: Rows) -> Roster:
        """A roster of only `rows`, in that order."""
        kept = Roster(self.query, [self.keys[row] for row in rows.tolist()])
        kept.last_seen = self.last_seen[rows]
        return kept


def _duplicate(rendered: bytes) -> str:
    return (
        f"two series would both be exposed as {rendered.decode().strip()}: the metric name is dropped, "
        "so make the other labels distinct (sum by, label_replace) or ask for one metric per query"
    )
