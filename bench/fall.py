"""What a fall of traffic scores in large and small services, by day, by night and on a Saturday.

    .venv/bin/python -m bench.fall

The world of the demo: 21 days known, a point a minute, then 12 % of the requests.
"""

from __future__ import annotations

import calendar

import numpy as np

from bench.tables import print_table
from exporter.demo.world import DAY, SERVICES, Incident, World
from exporter.models import MODELS
from exporter.models.contract import Settings

STEP, AFTER, LEFT = 60, 40 * 60, 0.12
WHEN = {
    "Thursday 12:50": (2026, 11, 19, 12, 50, 0),
    "Saturday 12:50": (2026, 11, 21, 12, 50, 0),
    "Thursday 03:00": (2026, 11, 19, 3, 0, 0),
}
SHOWN = ("payments", "cart", "search")
HEAD = (
    "when",
    "service",
    "expected",
    *(f"{it} of the {of}" for of in ("rate", "root") for it in ("highest", "score", "deviation")),
)


def rates(fall: int) -> tuple[np.ndarray, np.ndarray]:
    """Times (T,) and requests per second (T, services), up to AFTER seconds after a `fall` of all of them."""
    falls = [Incident(it.name, fall, fall + DAY, requests=LEFT) for it in SERVICES]
    times, counters = World(fall + AFTER, incidents=falls).history(days=21)
    requests = counters[:, :2].sum(axis=1)[:, :: STEP // 30]
    return times[:: STEP // 30][1:], np.diff(requests).T / STEP


def judged(fall: int) -> tuple[np.ndarray, np.ndarray]:
    """Rates before, (services,); score and deviation after it, of rate and of root, (2, T, 2, services)."""
    times, rate = rates(fall)
    values = np.hstack((rate, np.sqrt(rate)))
    model, everyone = MODELS["seasonal"](Settings(step=STEP), values.shape[1]), np.ones(values.shape[1], bool)
    out = np.empty((2, *values.shape))
    for i, time in enumerate(times.tolist()):
        scores = model.step(time, values[i], everyone, band=False)
        out[:, i] = scores.score, scores.deviation
    since = times >= fall
    return rate[~since][-30:].mean(axis=0), out[:, since].reshape(2, -1, 2, len(SERVICES))


def main() -> None:
    rows = []
    for when, moment in WHEN.items():
        expected, found = judged(calendar.timegm(moment))
        for column, service in enumerate(it.name for it in SERVICES):
            if service in SHOWN:
                score, deviation = found[..., column]
                figures = (score.max(axis=0), np.median(score[10:30], axis=0), deviation[30])
                cells = (f"{it[of]:.1f}" for of in range(2) for it in figures)
                rows.append((when, service, f"{expected[column]:.1f}", *cells))
    print_table("A fall to 12 %", HEAD, rows)


if __name__ == "__main__":
    main()
