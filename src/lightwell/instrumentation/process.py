"""What the operating system knows of this process; None where it does not tell."""

import os
import time
from pathlib import Path
from typing import Final

_SELF: Final = Path("/proc/self")
_START_FIELD: Final = 19
"""The 22nd of the line, counted after the name, which may hold spaces."""


def cpu_seconds() -> dict[str, float]:
    """Processor time by mode, of all threads."""
    times = os.times()
    return {"user": times.user, "system": times.system}


def memory() -> int | None:
    """Resident bytes."""
    try:
        return int((_SELF / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return None


def file_descriptors() -> int | None:
    """How many are open."""
    return _entries("fd")


def threads() -> int | None:
    """How many there are, whoever made them."""
    return _entries("task")


def _entries(name: str) -> int | None:
    try:
        return len(os.listdir(_SELF / name))  # noqa: PTH208 -- a name is enough, and there may be thousands
    except OSError:
        return None


def _started() -> float:
    """When the process began, in seconds of Unix time; when this module was loaded, where nobody knows."""
    try:
        ticks = int((_SELF / "stat").read_text().rpartition(")")[2].split()[_START_FIELD])
        uptime = float(Path("/proc/uptime").read_text().split()[0])
        return time.time() - uptime + ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return time.time()


STARTED: Final = _started()
