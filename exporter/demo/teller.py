"""What every story of the demo shares: it asks the servers, and tells what changed."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from rich.console import Console
from rich.markup import escape

from exporter.demo.loopback import get_json
from exporter.demo.stage import Stage

FIRST_SCORE = 180.0
PAGES = ("P1", "P2")
BAR = 24


class Untold(Exception):
    """The story did not come to its point; the message says where it stopped and what to look at."""


@dataclass
class Teller:
    """Tells what happens on a stage, with the seconds since its start before each line."""

    stage: Stage
    console: Console
    started: float = field(default_factory=time.monotonic)
    _last: dict[str, Any] = field(default_factory=dict)

    def until_first_score(self, queries: int = 3) -> None:
        """Wait for scores of so many queries."""
        for _ in self._polls(FIRST_SCORE, "no score came"):
            if len(self._query("count by (query) (anomaly_score)")) >= queries:
                break
        self.tell("score", f"first scores on /metrics: {self.stage.exporter}/metrics", "green")
        self._scores("calm", "max by (query, service) (anomaly_score)")

    def calm(self, seconds: float) -> None:
        """Let the services behave for `seconds`; Untold when anything pages in that time."""
        for _ in self._polls(seconds, ""):
            self._scores("calm", "max by (query, service) (anomaly_score)")
            for receiver, alert in self._notifications():
                self._notification(receiver, alert)
                if alert["labels"].get("priority") in PAGES and alert["status"] == "firing":
                    raise Untold(f"a false page came: {alert['labels']}")

    def tell(self, what: str, text: str, style: str = "") -> None:
        """One line of the story."""
        passed = time.monotonic() - self.started
        line = f"[dim]{passed:6.1f}s[/dim]  [{style or 'cyan'}]{what:<12}[/] {escape(text)}"
        self.console.print(line, soft_wrap=True)

    def _polls(self, seconds: float, otherwise: str) -> Iterator[None]:
        """Once a second for `seconds`; then Untold with `otherwise`, unless that is empty."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.stage.process.poll() is not None:
                raise Untold(
                    f"the exporter ended with code {self.stage.process.returncode}: {self._log_end()}"
                )
            yield
            time.sleep(1)
        if otherwise:
            raise Untold(f"{otherwise} within {seconds:.0f} s; the exporter's log: {self.stage.log}")

    def _scores(self, whom: str, expr: str) -> None:
        """One line when the highest score of a query changed."""
        found = self._query(expr)
        highest = max(found, key=lambda it: float(it["value"][1]), default=None)
        if highest is None or self._last.get(whom) == highest["value"][1]:
            return
        self._last[whom] = highest["value"][1]
        score, labels = float(highest["value"][1]), highest["metric"]
        bar = "█" * min(BAR, round(score * 6))
        edge = "above" if score > 1 else "within"
        text = f"{labels['service']} {labels['query']} {score:5.2f} {bar} {edge} the edge of normal"
        self.tell("score", text, "yellow" if score > 1 else "")

    def _alerts(self, told: Callable[[dict[str, str]], bool]) -> None:
        """One line per alert that changed its state, of those whose labels are to be `told`."""
        try:
            alerts = get_json(f"{self.stage.prometheus}/api/v1/alerts")["data"]["alerts"]
        except OSError:
            return
        for alert in alerts:
            labels = alert["labels"]
            name = " ".join(filter(None, (labels["alertname"], labels.get("query"), labels["severity"])))
            whose = f" for {labels['service']}" if "service" in labels else ""
            if told(labels) and self._last.get(f"alert {name}{whose}") != alert["state"]:
                self._last[f"alert {name}{whose}"] = alert["state"]
                self.tell(f"{alert['state']}", f"{name}{whose}", "magenta")

    def _notifications(self) -> list[tuple[str, dict[str, Any]]]:
        """Receiver and alert of each notification in the next message, if one has come."""
        try:
            message = self.stage.notifications.get_nowait()
        except queue.Empty:
            return []
        return [(message["receiver"], alert) for alert in message["alerts"]]

    def _notification(self, receiver: str, alert: dict[str, Any]) -> None:
        labels, notes = alert["labels"], alert["annotations"]
        self.tell(
            "notified",
            f"[{receiver}] {alert['status']}: {labels['alertname']} {labels['severity']}",
            "bold red",
        )
        for part in ("summary", "description", "runbook_url", "dashboard_url"):
            if part in notes and (alert["status"] == "firing" or part == "summary"):
                self.console.print(f"{'':22} {part}: {notes[part]}", markup=False, soft_wrap=True)

    def _query(self, expr: str) -> list[dict[str, Any]]:
        try:
            answer = get_json(f"{self.stage.prometheus}/api/v1/query?query={quote(expr)}")
        except OSError:
            return []
        result: list[dict[str, Any]] = answer["data"]["result"]
        return result

    def _log_end(self) -> str:
        lines = self.stage.log.read_text().strip().splitlines()
        return lines[-1] if lines else "its log is empty"


def tell_setup(console: Console) -> Callable[[str], None]:
    """What the stage calls while it is being set up."""
    return lambda text: console.print(f"[dim] set up[/dim]  {escape(text)}", soft_wrap=True)
