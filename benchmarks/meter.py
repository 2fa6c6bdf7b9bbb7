"""Reads what a server's whole process tree has used: CPU seconds and resident memory."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import Callable

import psutil

_SCHEDULER_CLOCK = 2


class Meter:
    """Counts CPU and memory of a process and of everything it started, dead children included."""

    def __init__(self, pid: int) -> None:
        """Watch the tree below `pid`; raises psutil.NoSuchProcess when it is already gone."""
        self.pid = pid
        self.idle_share = 0.0
        """CPU seconds in a second of rest, as `rest` found them."""
        self.mark: Callable[[], object] = lambda: None
        """Called at the beginning and at the end of what is measured, by whoever measures."""
        self._root = psutil.Process(pid)

    def cpu_seconds(self) -> float:
        """User and system time of the tree since it was started."""
        total = 0.0
        for process in self._tree():
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total += _precise(process.pid, times.user + times.system) + times.children_user + times.children_system
        return total

    def resident_bytes(self) -> int:
        """Resident memory of the tree (pages that processes share are counted for each)."""
        total = 0
        for process in self._tree():
            with contextlib.suppress(psutil.NoSuchProcess):
                total += process.memory_info().rss
        return total

    async def settled(self, *, quiet: float = 0.25, share: float = 0.12, limit: float = 30.0) -> float:
        """Wait until the tree uses less than `share` of a core during `quiet` seconds, `limit` seconds at most.

        Gives the CPU seconds used until the quiet began.
        """
        deadline = time.monotonic() + limit
        before = self.cpu_seconds()
        while time.monotonic() < deadline:
            await asyncio.sleep(quiet)
            now = self.cpu_seconds()
            if now - before < quiet * share:
                return before
            before = now
        return before

    async def rest(self, seconds: float) -> None:
        """Learn what the server uses when nobody asks it for anything; `finished` takes that off its waiting."""
        await self.settled()
        began, used = time.monotonic(), self.cpu_seconds()
        await asyncio.sleep(seconds)
        self.idle_share = (self.cpu_seconds() - used) / (time.monotonic() - began)

    async def finished(self, aftermath: float) -> float:
        """CPU seconds used so far once put-off work is done too: at least `aftermath` seconds from now, and quiet.

        What the server would have used in that time anyway is taken off.
        """
        began = time.monotonic()
        used = await self.settled()
        if not aftermath:
            return used
        await asyncio.sleep(max(0.0, began + aftermath - time.monotonic()))
        await self.settled()
        return self.cpu_seconds() - self.idle_share * (time.monotonic() - began)

    def _tree(self) -> list[psutil.Process]:
        return [self._root, *self._root.children(recursive=True)]


def _precise(pid: int, coarse: float) -> float:
    """The process's CPU seconds to the nanosecond on Linux (psutil reads ticks of 10 ms), else `coarse`."""
    if not sys.platform.startswith("linux"):
        return coarse
    try:
        return time.clock_gettime((~pid << 3) | _SCHEDULER_CLOCK)  # what clock_getcpuclockid(3) would give
    except OSError:
        return coarse
