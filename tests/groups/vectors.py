"""Made-up residuals of services whose queries partly move together."""

from __future__ import annotations

import numpy as np

from exporter.groups.joint import Joint, Method, fit
from exporter.groups.members import Table

SERVICES = tuple((f"s{i}",) for i in range(12))
QUERIES = 6


def healthy(times: int = 600, seed: int = 0) -> np.ndarray:
    """(times, services, queries) of heavy-tailed residuals; the first two queries share half of theirs."""
    rng = np.random.default_rng(seed)
    own = 0.12 * rng.standard_t(5, (times, len(SERVICES), QUERIES))
    shared = 0.12 * rng.standard_t(5, (times, len(SERVICES), 1))
    own[..., :2] += shared
    return own.astype(np.float32)


def fitted(method: Method, seed: int = 0) -> Joint:
    """A model of healthy services."""
    return fit(Table(SERVICES, healthy(seed=seed)), method, 0)


def one(*values: float) -> np.ndarray:
    """A single vector."""
    return np.array([values], np.float32)
