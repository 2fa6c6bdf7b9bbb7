"""The command line as typed: into a pipe, or at a terminal of some width."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping
from typing import IO

_SECONDS = 60


def inherited() -> dict[str, str]:
    """The environment of this process without anybody's settings."""
    mine = ("LIGHTWELL_", "PREFECT_", "OTEL_", "NO_COLOR", "TERM", "COLUMNS", "LINES")
    return {name: value for name, value in os.environ.items() if not name.startswith(mine)}


def piped(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command whose output somebody else reads."""
    return subprocess.run(
        [sys.executable, "-m", "lightwell", *arguments],
        env=inherited() | environment,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )


def at_a_terminal(*arguments: str, width: int = 80, environment: Mapping[str, str] | None = None) -> str:
    """What a command writes to a terminal that is so many cells wide; it must succeed."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    with os.fdopen(master, "rb", buffering=0) as screen:
        process = subprocess.Popen(
            [sys.executable, "-m", "lightwell", *arguments],
            env=inherited() | {"TERM": "xterm-256color"} | dict(environment or {}),
            stdin=slave,
            stdout=slave,
            stderr=slave,
        )
        os.close(slave)
        written = b""
        while part := _read(screen):
            written += part
        status = process.wait(_SECONDS)
    text = written.decode().replace("\r\n", "\n")
    assert status == 0, text
    return text


def _read(screen: IO[bytes]) -> bytes:
    try:
        return screen.read(65_536)
    except OSError:  # what Linux says when the other side has closed
        return b""
