"""Three incidents of different kinds at once, each of which arrives as a notification of its own."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from exporter.demo.setting import DRIFTING
from exporter.demo.teller import Teller
from exporter.demo.world import QUEUE, Incident

CLIFF = "cart"
HEARD = 1_200.0


@dataclass(frozen=True, slots=True)
class Expected:
    """A notification that must come: what of, through which receiver, and the labels of its alert."""

    kind: str
    receiver: str
    labels: dict[str, str]

    def is_told_by(self, receiver: str, alert: dict[str, Any]) -> bool:
        """Whether this is it, firing."""
        return (
            alert["status"] == "firing"
            and receiver == self.receiver
            and self.labels.items() <= alert["labels"].items()
        )


EXPECTED = (
    Expected("traffic cliff with errors", "page", {"alertname": "PatternTrafficCliff", "service": CLIFF}),
    Expected("slow drift", "ticket", {"alertname": "DriftSevere", "service": DRIFTING}),
    Expected("dead input", "ticket-platform", {"alertname": "InputSilent", "query": "queue_messages"}),
)


@dataclass
class Three(Teller):
    """A traffic cliff with errors, a drift that began the day before, and an input that died."""

    _missing: list[Expected] = field(default_factory=lambda: list(EXPECTED))

    def begin(self) -> None:
        """The drift is in the past already; the other two happen now."""
        now = time.time()
        self.tell("drift", f"{DRIFTING} has slowly become 40 % slower in the last 30 hours", "red")
        self.stage.world.afflict(Incident(CLIFF, now, now + HEARD, requests=0.15, errors=60))
        self.tell("incident", f"{CLIFF} gets 15 % of its traffic, and fails almost a fifth of that", "red")
        self.stage.world.hushed.add(QUEUE)
        self.tell("dead input", f"nothing exposes {QUEUE} any more", "red")

    def until_heard(self) -> None:
        """Show alerts and notifications until all three have come; Untold when one does not."""
        for _ in self._polls(HEARD, f"not all came; alerts: {self.stage.prometheus}/alerts"):
            self._alerts(_is_about_them)
            for receiver, alert in self._notifications():
                if _is_about_them(alert["labels"]):
                    self._notification(receiver, alert)
                self._missing = [it for it in self._missing if not it.is_told_by(receiver, alert)]
            if not self._missing:
                return

    def summary(self) -> str:
        """What came."""
        return "three notifications: " + ", ".join(f"{it.kind} [{it.receiver}]" for it in EXPECTED)


def _is_about_them(labels: dict[str, str]) -> bool:
    about = (labels.get("service"), labels.get("query"))
    return labels["severity"] != "info" and bool({CLIFF, DRIFTING, "queue_messages"} & set(about))
