"""Chromium driven as a person would, over its DevTools protocol and a pipe. Promises real input, and every request and complaint of the page; tests nothing."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.browser import command_of
from tests.waiting import poll_until

CODES = {" ": "Space", "[": "BracketLeft", "]": "BracketRight", "?": "Slash"}


class Tab:
    """One page of a browser. Methods raise what the page's own script raised, as AssertionError."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands, self._answers = commands, answers
        self._rest, self._number, self._session = b"", 0, ""
        self.requests: list[str] = []
        """URLs that the page asked for."""
        self.complaints: list[str] = []
        """What its console says as a warning or an error, and what no code of it caught."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "DOM"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """A command of the protocol, and its answer."""
        self._number += 1
        asked = {"id": self._number, "method": method, "params": parameters}
        said = asked | ({"sessionId": self._session} if self._session else {})
        os.write(self._commands, json.dumps(said).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return dict(answer["result"])
            self._note(answer)

    def open(self, url: str) -> None:
        """Go to a page, afresh where it is open already, and wait until it is loaded."""
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=url)
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    def js(self, expression: str) -> Any:
        """What an expression is in the page, awaited where it is a promise."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def until(self, expression: str) -> None:
        """Wait until an expression is true in the page."""
        poll_until(lambda: self.js(expression), 60.0, lambda: f"{expression}: not so; {self.complaints}")

    def press(self, key: str) -> None:
        """A key goes down and up."""
        code = CODES.get(key, f"Key{key.upper()}" if key.isalpha() and len(key) == 1 else key)
        text = {"text": key} if len(key) == 1 else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, code=code, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, code=code)

    def type(self, text: str) -> None:
        """A text goes where the focus is."""
        self.call("Input.insertText", text=text)

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """The left button goes down at one place of the page and up at another."""
        for kind, (x, y) in (("mousePressed", start), ("mouseMoved", end), ("mouseReleased", end)):
            held = {"button": "left", "buttons": 1 if kind != "mouseReleased" else 0, "clickCount": 1}
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **held)

    def choose(self, selector: str, file: Path) -> None:
        """A file is chosen in a file field."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        field = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.call("DOM.setFileInputFiles", nodeId=field, files=[str(file)])

    def screenshot(self, path: Path, width: int, height: int) -> None:
        """The page as a PNG, in a window of this size."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        self.js("new Promise(go => requestAnimationFrame(() => requestAnimationFrame(go)))")
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            more = os.read(self._answers, 1 << 16)
            assert more, "the browser has ended"
            self._rest += more
        line, _, self._rest = self._rest.partition(b"\0")
        return dict(json.loads(line))

    def _note(self, event: dict[str, Any]) -> None:
        said = event.get("params", {})
        match event.get("method"):
            case "Network.requestWillBeSent":
                self.requests.append(said["request"]["url"])
            case "Log.entryAdded":
                self.complaints.append(said["entry"]["text"])
            case "Runtime.exceptionThrown":
                self.complaints.append(str(said["exceptionDetails"]))
            case "Runtime.consoleAPICalled" if said["type"] in ("error", "warning", "assert"):
                self.complaints.append(str(said["args"]))


@contextmanager
def browsing(folder: Path) -> Iterator[Tab]:
    """A browser with one page, and a profile under `folder`."""
    into, commands = os.pipe()
    answers, out = os.pipe()
    # It reads file descriptor 3 and writes to 4.
    line = f'exec "$0" "$@" 3<&{into} 4>&{out}'
    command = ["bash", "-c", line, *command_of(folder), "--remote-debugging-pipe", "--no-first-run"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, pass_fds=(into, out), **quiet) as browser:  # type: ignore[call-overload]
        os.close(into)
        os.close(out)
        try:
            yield Tab(commands, answers)
        finally:
            browser.terminate()
            browser.wait(30)
            os.close(commands)
            os.close(answers)
