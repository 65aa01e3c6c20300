"""What differs from one story to the next before it begins: the past, the queries, the waits."""

from __future__ import annotations

from dataclasses import dataclass

from exporter.demo.world import Incident


@dataclass(frozen=True, slots=True)
class Setting:
    """`planted` are incidents with times relative to now; `queries` are appended to the configuration.

    `drift_for` stands instead of the hour for which drift must last, and `patient` leaves the waits of
    Alertmanager as they are shipped.
    """

    planted: tuple[Incident, ...] = ()
    queries: str = ""
    drift_for: str = ""
    patient: bool = False


INCIDENT = Setting()

DRIFTING = "search"
HOUR = 3_600.0
QUEUES = """\
  - name: queue_messages
    expr: sum by (service) (rate(queue_messages_total[1m]))
    domain: {min: 0}
"""

THREE = Setting(
    planted=(Incident(DRIFTING, -30 * HOUR, 24 * HOUR, latency=1.4, ramp=24 * HOUR),),
    queries=QUEUES,
    drift_for="1m",
)

STORM = Setting(patient=True)
