"""An Alertmanager in a few lines: silences and alerts over `httpx.MockTransport`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from exporter.calendars.timetable import Alertmanager as Section
from exporter.calendars.timetable import Incidents
from exporter.diary.alertmanager import Alertmanager
from exporter.tsdb.settings import Settings

URL = "http://alertmanager"
LABELS = Section.model_validate({"urls": [URL]}).alert_labels


def written(time: float) -> str:
    """A time as Alertmanager writes it."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


@dataclass
class FakeAlertmanager:
    """What it knows; `status` is that of its answers."""

    silences: list[dict[str, Any]] = field(default_factory=list)
    alerts: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200

    def silence(self, start: float, end: float, *matchers: str, id: str = "one") -> None:
        """Know of a silence with matchers such as `service=a` or `service=~a|b`."""
        split = [it.partition("=") for it in matchers]
        found = [
            {
                "name": name.rstrip("!"),
                "value": value.lstrip("~"),
                "isRegex": value[:1] == "~",
                "isEqual": name[-1] != "!",
            }
            for name, _, value in split
        ]
        times = {"startsAt": written(start), "endsAt": written(end), "updatedAt": written(start)}
        self.silences = [it for it in self.silences if it["id"] != id]
        self.silences.append({"id": id, "matchers": found, "status": {"state": "active"}, **times})

    def alert(self, start: float, **labels: str) -> None:
        """Know of an alert that fires since `start`."""
        status = {"state": "active", "silencedBy": [], "inhibitedBy": []}
        times = {"startsAt": written(start), "endsAt": written(start + 300)}
        self.alerts.append(
            {"fingerprint": str(len(self.alerts)), "labels": labels, "status": status, **times}
        )

    def client(self, url: str = URL, **incidents: Any) -> Alertmanager:
        """What reads it."""
        settings = Incidents.model_validate(incidents)
        return Alertmanager(Settings(url), settings, LABELS, httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        found = {"/api/v2/silences": self.silences, "/api/v2/alerts": self.alerts}.get(request.url.path)
        if self.status != 200 or found is None:
            return httpx.Response(self.status if found is not None else 404, text="busy")
        return httpx.Response(200, json=found)
