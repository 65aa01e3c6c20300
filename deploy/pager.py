"""Prints every notification that Alertmanager posts: `python pager.py PORT`. Standard library only."""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Pager(BaseHTTPRequestHandler):
    """Answers 200 and prints one line for each alert of the notification."""

    def do_POST(self) -> None:
        """Take one notification."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        for alert in json.loads(body).get("alerts", ()):
            labels, notes = alert["labels"], alert["annotations"]
            summary = notes.get("summary", labels.get("alertname", ""))
            print(self.path, alert["status"].upper(), labels.get("severity", "-"), summary, flush=True)
            if link := notes.get("runbook_url"):
                print(f"  runbook: {link}", flush=True)
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Keep the output to notifications."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Pager).serve_forever()
