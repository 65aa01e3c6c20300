"""A headless Chromium that a test drives over a pair of pipes, so that no further library is needed."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DEADLINE = 60.0
NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--hide-scrollbars",
    "--no-first-run",
    "--remote-debugging-pipe",
)


@dataclass
class Browser:
    """One tab; `requested` holds the address of everything it asked for."""

    _to: int
    _from: int
    requested: list[str] = field(default_factory=list)
    _number: int = 0
    _session: str = ""
    _rest: bytes = b""
    _events: list[dict[str, Any]] = field(default_factory=list)

    def open(self, url: str) -> None:
        """Go to `url` and wait until it is loaded."""
        self.requested.clear()
        self._events.clear()
        self.call("Page.navigate", url=url)
        self._wait("Page.loadEventFired")

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression in the page, evaluated from outside of its policy."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def text(self) -> str:
        """What a person can read, white space folded."""
        return " ".join(str(self.run("document.body.innerText")).split())

    def press(self, key: str) -> None:
        """A key, such as Tab or Enter."""
        code = {"Tab": 9, "Enter": 13}[key]
        about: dict[str, Any] = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        text = {"text": "\r"} if key == "Enter" else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", **about, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", **about)

    def resize(self, width: int, height: int = 800, *, phone: bool = False) -> None:
        """The size of the window in CSS pixels."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=phone,
        )

    def darken(self, dark: bool = True) -> None:
        """Prefer dark colours, or light ones."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def picture(self) -> bytes:
        """The window as PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])

    def wait_for_load(self) -> None:
        """Wait for a page that a key or a click has opened."""
        self._wait("Page.loadEventFired")

    def forget_events(self) -> None:
        """Before a key that opens a page."""
        self._events.clear()

    def begin(self) -> None:
        """Attach to a tab of its own."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the protocol, and its answer."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        _write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            found = self._read()
            if found.get("id") == self._number:
                assert "error" not in found, found
                return dict(found["result"])
            self._note(found)

    def _wait(self, event: str) -> None:
        while not any(it["method"] == event for it in self._events):
            self._note(self._read())

    def _note(self, found: dict[str, Any]) -> None:
        if found.get("method") == "Network.requestWillBeSent":
            self.requested.append(found["params"]["request"]["url"])
        if "method" in found:
            self._events.append(found)

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            assert select.select([self._from], [], [], DEADLINE)[0], "Chromium says nothing"
            part = os.read(self._from, 1 << 20)
            assert part, "Chromium has ended"
            self._rest += part
        message, _, self._rest = self._rest.partition(b"\0")
        return dict(json.loads(message))


@contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """A Chromium with an empty `profile`; the test fails where there is none."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    assert program, "Chromium is needed: deploy/need-chromium.sh installs it"
    with _started([program, *FLAGS, f"--user-data-dir={profile}"]) as (to, from_):
        it = Browser(to, from_)
        it.begin()
        yield it


@contextmanager
def _started(command: Sequence[str]) -> Iterator[tuple[int, int]]:
    """The process with its commands on file 3 and its answers on file 4, ended when the test is over."""
    commands, to = os.pipe()
    from_, answers = os.pipe()
    # A shell puts the pipes where Chromium looks for them; the numbers above 9 are out of its way
    low = [os.dup(it) for it in (commands, answers)]
    redirected = f'exec "$@" 3<&{low[0]} 4>&{low[1]}'
    process = subprocess.Popen(
        ["bash", "-c", redirected, "bash", *command], pass_fds=low, stderr=subprocess.DEVNULL
    )
    for it in (commands, answers, *low):
        os.close(it)
    try:
        yield to, from_
    finally:
        os.close(to)
        os.close(from_)
        process.terminate()
        process.wait(20)


def _write(to: int, message: bytes) -> None:
    while message:
        message = message[os.write(to, message) :]
