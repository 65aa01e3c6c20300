"""The demo as a story in the terminal: calm, incident, score, alert, page, recovery."""

from __future__ import annotations

import time

from exporter.demo.teller import PAGES, Teller
from exporter.demo.world import Incident

VICTIM = "payments"
PAGE = 600.0
RECOVERY = 900.0


class Story(Teller):
    """One service begins to fail, and is well again."""

    def incident(self) -> Incident:
        """Make one of the services slow and failing."""
        now = time.time()
        incident = Incident(VICTIM, now, now + PAGE + RECOVERY, requests=0.55, errors=45, latency=4)
        self.stage.world.afflict(incident)
        self.tell("incident", f"{VICTIM} now fails 18 % of its requests and is four times as slow", "red")
        return incident

    def until_page(self) -> None:
        """Show score, alert and notification as they come; Untold when no page arrives."""
        for _ in self._polls(PAGE, f"no page came; alerts: {self.stage.prometheus}/alerts"):
            self._scores(VICTIM, f'max by (query, service) (anomaly_score{{service="{VICTIM}"}})')
            self._alerts(_of_the_victim)
            if self._notified("firing"):
                return

    def until_resolved(self) -> None:
        """The incident is over: wait for the notification that says so."""
        self.stage.world.incidents.pop()
        self.tell("over", f"{VICTIM} answers as before", "green")
        for _ in self._polls(RECOVERY, f"no resolution came; alerts: {self.stage.prometheus}/alerts"):
            self._scores(VICTIM, f'max by (query, service) (anomaly_score{{service="{VICTIM}"}})')
            self._alerts(_of_the_victim)
            if self._notified("resolved"):
                return

    def _notified(self, status: str) -> bool:
        """Show the notifications that arrived; whether one of them tells `status` of the victim's page."""
        told = [it for it in self._notifications() if it[1]["labels"].get("service") == VICTIM]
        for receiver, alert in told:
            self._notification(receiver, alert)
        pages = [alert for _, alert in told if alert["labels"].get("priority") in PAGES]
        return bool(pages) and all(it["status"] == status for it in pages)


def _of_the_victim(labels: dict[str, str]) -> bool:
    return labels.get("service") == VICTIM
