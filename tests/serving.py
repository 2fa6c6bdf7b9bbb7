"""Servers in processes of their own, for tests that speak to them as users do."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

_START_SECONDS = 60.0
_STOP_SECONDS = 15.0
_PAUSE_SECONDS = 0.05


class DidNotStartError(AssertionError):
    """The server ended, or was not ready, before its deadline."""


@dataclass(frozen=True)
class Serving:
    """A Lightwell server that runs in its own process."""

    api_url: str
    process: subprocess.Popen[bytes]
    log: Path
    """Where its standard error goes: one JSON object a line."""

    def log_lines(self) -> list[dict[str, Any]]:
        """The structured log lines so far; text that is not JSON is left out."""
        lines = []
        for line in self.log.read_text().splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if isinstance(entry, dict):
                lines.append(entry)
        return lines


@contextmanager
def lightwell_server(home: Path, settings: Mapping[str, str] | None = None) -> Iterator[Serving]:
    """A Lightwell server with its data under `home`; it has answered that it is ready, and is stopped at the end."""
    port = free_port()
    home.mkdir(parents=True, exist_ok=True)
    log = home / f"server-{port}.log"
    environment = {
        **{
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("LIGHTWELL_", "PREFECT_", "OTEL_"))
        },
        "LIGHTWELL_HOME": str(home),
        "LIGHTWELL_DATABASE_URL": f"sqlite:///{home / 'lightwell.sqlite3'}",
        **(settings or {}),
    }
    command = [sys.executable, "-m", "lightwell", "serve", "--host", "127.0.0.1", "--port", str(port)]
    with log.open("wb") as errors:
        process = subprocess.Popen([*command, "--log-format", "json"], env=environment, stderr=errors, stdout=errors)
    try:
        url = f"http://127.0.0.1:{port}/api"
        try:
            await_ready(url, process, _START_SECONDS)
        except DidNotStartError as failure:
            failure.add_note(log.read_text()[-4000:])
            raise
        yield Serving(url, process, log)
    finally:
        stop(process)


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def await_ready(api_url: str, process: subprocess.Popen[bytes], seconds: float) -> None:
    """Return when `/ready` answers 200; raise DidNotStartError when the process ends or the time is over."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            message = f"the server ended with exit status {process.returncode}"
            raise DidNotStartError(message)
        try:
            if httpx.get(f"{api_url}/ready", timeout=2.0).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(_PAUSE_SECONDS)
    message = f"{api_url}/ready did not answer 200 within {seconds:.0f} s"
    raise DidNotStartError(message)


def stop(process: subprocess.Popen[bytes]) -> int:
    """Ask the process to end, and kill it where it does not; its exit status."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        return process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
