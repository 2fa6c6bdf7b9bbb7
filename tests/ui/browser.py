"""A real browser that shows one page, spoken to by the protocol of its developer tools."""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from websockets.sync.client import connect
from websockets.sync.connection import Connection

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_SWITCHES = (
    "--headless",
    "--no-sandbox",  # root has no other way, as in a container
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-proxy-server",
    "--remote-debugging-port=0",
)
_PATIENCE_SECONDS = 60.0
_PAUSE_SECONDS = 0.05


class Page:
    """The page in the browser."""

    def __init__(self, wire: Connection) -> None:
        self._wire = wire
        self._asked = 0
        self.complaints: list[str] = []
        """What the browser has written to its console as an error, and exceptions of scripts."""
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.tell(f"{domain}.enable")

    def tell(self, method: str, **parameters: object) -> dict[str, Any]:
        """Call a method of the developer tools; its result."""
        self._asked += 1
        self._wire.send(json.dumps({"id": self._asked, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._wire.recv(timeout=_PATIENCE_SECONDS))
            if message.get("id") == self._asked:
                assert "error" not in message, message["error"]
                result: dict[str, Any] = message["result"]
                return result
            self._note(message)

    def open(self, url: str) -> None:
        """Go to an address."""
        failure = self.tell("Page.navigate", url=url).get("errorText")
        assert failure is None, failure

    def value(self, expression: str) -> Any:
        """What a JavaScript expression is worth in the page."""
        answer = self.tell("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait_for(self, expression: str, wanted: object) -> None:
        """Return when the expression has the value; fail with the one it has when that takes too long."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while (found := self.value(expression)) != wanted:
            assert time.monotonic() < deadline, f"{expression} is {found!r}"
            time.sleep(_PAUSE_SECONDS)

    def _note(self, message: dict[str, Any]) -> None:
        parameters = message.get("params", {})
        if message["method"] == "Runtime.exceptionThrown":
            self.complaints.append(str(parameters["exceptionDetails"]))
        elif message["method"] == "Log.entryAdded" and parameters["entry"]["level"] == "error":
            self.complaints.append(parameters["entry"]["text"])


@contextmanager
def browser(home: Path) -> Iterator[Page]:
    """A browser with an empty page, which keeps what it must keep under `home`."""
    with (home / "browser.log").open("wb") as log:
        process = subprocess.Popen(
            [_program(), *_SWITCHES, f"--user-data-dir={home / 'profile'}", "about:blank"], stdout=log, stderr=log
        )
    try:
        with connect(_address(home, process), proxy=None, max_size=None) as wire:
            yield Page(wire)
    finally:
        process.terminate()
        try:
            process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise


def _program() -> str:
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    assert found is not None, (
        f"no browser: none of {', '.join(_NAMES)} is on the PATH (Debian: apt-get install chromium)"
    )
    return found


def _address(home: Path, process: subprocess.Popen[bytes]) -> str:
    """Where the page's developer tools listen, as soon as they do."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    note = home / "profile" / "DevToolsActivePort"
    while True:
        assert process.poll() is None, (home / "browser.log").read_text()
        assert time.monotonic() < deadline, f"the browser is not there\n{(home / 'browser.log').read_text()}"
        if note.exists() and (lines := note.read_text().split()):
            targets = httpx.get(
                f"http://127.0.0.1:{lines[0]}/json/list", trust_env=False, timeout=_PATIENCE_SECONDS
            ).json()
            pages = [target["webSocketDebuggerUrl"] for target in targets if target["type"] == "page"]
            if pages:
                return str(pages[0])
        time.sleep(_PAUSE_SECONDS)
