"""Drives requests at a server from a number of connections and measures the batch; scenarios.py says which requests."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from benchmarks.figures import Batch
from benchmarks.meter import Meter
from benchmarks.servers import Target
from benchmarks.wire import Connection, Request

AFTERMATH = 6.0
"""Seconds after a batch of writes in which CPU still counts: the reference stores events up to 5 seconds later."""
GRACE = 60.0
"""Seconds beyond a batch's own that the last answers may take before the server counts as hung."""


@dataclass(slots=True)
class Tally:
    """What came back: accepted answers, refused ones by status."""

    accepted: int = 0
    refused: Counter[int] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """All answers."""
        return self.accepted + self.refused.total()

    def count(self, status: int, expected: tuple[int, ...]) -> None:
        """Count one answer."""
        if status in expected:
            self.accepted += 1
        else:
            self.refused[status] += 1


@dataclass(slots=True)
class Reading:
    """Clocks of server, wall and generator at the beginning of a batch, and the batch at its end."""

    meter: Meter
    cpu: float
    wall: float
    generator: float
    aftermath: float

    @classmethod
    async def begin(cls, meter: Meter, aftermath: float) -> Reading:
        """Wait until the server is quiet, then read the clocks; `aftermath` is how long put-off work is waited for."""
        await meter.settled()
        meter.mark()
        return cls(meter, meter.cpu_seconds(), time.perf_counter(), time.process_time(), aftermath)

    async def end(self, tally: Tally) -> Batch:
        """The batch since `begin`: its wall time ends now, its CPU includes what the server does after its answers."""
        wall, generator = time.perf_counter() - self.wall, time.process_time() - self.generator
        cpu = await self.meter.finished(self.aftermath) - self.cpu
        self.meter.mark()
        return Batch(tally.accepted, tally.refused.total(), cpu, wall, generator)


async def measure(
    target: Target,
    requests: Iterator[Request],
    *,
    seconds: float,
    cycle: int = 1,
    connections: int = 1,
    aftermath: float = 0.0,
) -> Batch:
    """Send from `requests` until they or the `seconds` are used up; TimeoutError when the server hangs.

    A batch ends only after whole cycles of so many requests, so that a slow server answers the same mix as a fast one.
    """
    async with connected(target, connections) as lines:
        reading = await Reading.begin(target.meter, aftermath)
        tally = await drive(lines, requests, seconds=seconds, cycle=cycle)
    return await reading.end(tally)


async def drive(connections: list[Connection], requests: Iterator[Request], *, seconds: float, cycle: int = 1) -> Tally:
    """Send requests over all connections at once, each waiting for its answer before its next one."""
    tally = Tally()
    deadline = time.perf_counter() + seconds

    async def work(connection: Connection) -> None:
        for request in requests:
            status = await _status(connection, request)
            tally.count(status, request.expected)
            if time.perf_counter() >= deadline and tally.total % cycle == 0:
                return

    async with asyncio.timeout(seconds + GRACE):
        await asyncio.gather(*map(work, connections))
    return tally


@asynccontextmanager
async def connected(target: Target, count: int) -> AsyncIterator[list[Connection]]:
    """So many open connections."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(target.connection()) for _ in range(count)]


async def _status(connection: Connection, request: Request) -> int:
    try:
        return (await connection.send(request)).status
    except ConnectionError:
        return 0
