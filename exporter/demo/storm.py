"""A storm: what all services share fails, and it arrives as one page."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from exporter.demo.loopback import get_json
from exporter.demo.teller import PAGES, Teller, Untold
from exporter.demo.world import SERVICES, Incident

PAGE = 900.0
AFTERMATH = 240.0
STORM = "AnomalyStorm"


@dataclass
class Storm(Teller):
    """Every service becomes slow and fails at once."""

    _pages: list[dict[str, Any]] = field(default_factory=list)

    def begin(self) -> None:
        """The database that all services share is slow from now on."""
        now = time.time()
        for service in SERVICES:
            end = now + PAGE + AFTERMATH
            self.stage.world.afflict(Incident(service.name, now, end, errors=40, latency=4))
        self.tell("storm", f"all {len(SERVICES)} services are four times as slow, and fail more", "red")

    def until_page(self) -> None:
        """Show alerts and notifications until the storm pages; Untold when it does not."""
        for _ in self._polls(PAGE, f"no page came; alerts: {self.stage.prometheus}/alerts"):
            self._watch()
            if self._pages:
                return

    def aftermath(self) -> None:
        """Wait for further pages, of which there must be none; Untold when one comes."""
        self.tell("waiting", f"{AFTERMATH:.0f} s, in which no other page may come")
        for _ in self._polls(AFTERMATH, ""):
            self._watch()
        self.tell("muted", ", ".join(self._muted()) or "nothing: was no service strange?", "green")

    def summary(self) -> str:
        """What came."""
        return f"one page for {len(SERVICES)} services"

    def _watch(self) -> None:
        self._alerts(lambda labels: labels.get("priority") in PAGES)
        for receiver, alert in self._notifications():
            if alert["labels"].get("priority") not in PAGES or alert["status"] != "firing":
                continue
            self._notification(receiver, alert)
            self._pages.append(alert)
            if alert["labels"]["alertname"] != STORM:
                raise Untold(f"a page came beside the storm: {alert['labels']}")

    def _muted(self) -> list[str]:
        """The pages of single services that Alertmanager keeps back."""
        alerts = get_json(f"{self.stage.alertmanager}/api/v2/alerts?inhibited=true")
        pages = [it for it in alerts if it["status"]["inhibitedBy"] and it["labels"]["priority"] in PAGES]
        return sorted(f"{it['labels']['alertname']} {it['labels'].get('service', '')}" for it in pages)
