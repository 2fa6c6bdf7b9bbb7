"""The embedded store of traces: takes what was kept, writes it in a thread of its own, and lets it be read.

`TraceStore` is a sink of kept traces (`Telemetry.add_sink`), and takes spans of clients and workers by `add`. Nobody
ever waits for it, and nothing it does is recorded. `reading.py` has the queries.
"""

import asyncio
import os
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic
from typing import Concatenate, Final, ParamSpec, TypeVar

from lightwell.contract.telemetry import RouteTable
from lightwell.errors import OutOfOrder, TimedOut
from lightwell.instrumentation import vocabulary as names
from lightwell.instrumentation.kept import KeptTrace
from lightwell.instrumentation.metrics import GAUGES
from lightwell.instrumentation.traffic import TRAFFIC, Traffic
from lightwell.telemetry.packing import Piece, pieces_of
from lightwell.telemetry.records import StoredLine, StoredSpan
from lightwell.telemetry.routes import route_table
from lightwell.telemetry.writer import Writer
from lightwell.telemetry.writing import Ring

T = TypeVar("T")
P = ParamSpec("P")

_READERS: Final = 2
_SETTLE: Final = 0.5
_HEALTHY: Final = "baseline"
_OWN_ROUTES: Final = ("/telemetry/", "/v1/traces")

Taken = KeptTrace | Piece


class TraceStore:
    """The store of one server process; `path` None keeps it in memory.

    Holds at most `most_waiting` spans that are not written yet; when it is full the oldest go first. `retry_after` is
    how many seconds trouble keeps it off before it tries again.
    """

    def __init__(
        self,
        path: Path | None,
        ring: Ring,
        *,
        traffic: Traffic = TRAFFIC,
        most_waiting: int = 20_000,
        retry_after: float = 60.0,
    ) -> None:
        self._most_waiting = most_waiting
        self._queue: deque[tuple[Taken, int]] = deque()
        self._held = 0
        self._taken = 0
        self._ready = threading.Condition()
        self._pid = os.getpid()
        self._stopping = False
        self._writer = Writer(path, ring, traffic, retry_after=retry_after)
        self._thread: threading.Thread | None = None
        self._pool: ThreadPoolExecutor | None = None

    @property
    def trouble(self) -> str | None:
        """What keeps the store off at present, for a person; None while it works."""
        return self._writer.trouble

    @property
    def has_room(self) -> bool:
        """Whether there is room for what others send: half of it is for what this process keeps."""
        return self._held < self._most_waiting // 2

    def start(self) -> None:
        """Open the file, in the background."""
        GAUGES.store.on = True
        self._thread = threading.Thread(target=self._run, name="lightwell-traces", daemon=True)
        self._thread.start()

    def __call__(self, kept: KeptTrace) -> None:
        """Take a kept trace of this process: a sink. Healthy requests that read or fill the store are left out."""
        if not _is_of_the_store(kept):
            self._take(((kept, len(kept.spans)),))

    def add(self, spans: Iterable[StoredSpan], lines: Iterable[StoredLine] = ()) -> bool:
        """Take spans and lines of anybody; False where trouble keeps the store off.

        Returns at once; what comes twice is shown once. Raises ValueError for an id that is none.
        """
        return self._take(tuple((piece, len(piece.spans)) for piece in pieces_of(spans, lines)))

    def settle(self, deadline: float) -> bool:
        """Wait until what was taken before is written, for at most `deadline` seconds; whether it was in time."""
        end = monotonic() + deadline
        self._writer.tried.wait(deadline)
        with self._ready:
            goal = self._taken
            self._writer.hurry.set()
            self._ready.notify_all()
            while self._writer.done < goal:
                if not self._ready.wait(max(0.0, end - monotonic())) and monotonic() >= end:
                    return False
        return True

    def close(self, deadline: float) -> bool:
        """Write what is left and end, in at most `deadline` seconds; whether all was written in time. Blocks."""
        with self._ready:
            self._stopping = True
            self._writer.hurry.set()
            self._ready.notify_all()
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
        if self._thread is not None:
            self._thread.join(max(0.0, deadline))
        in_time = self._thread is None or not self._thread.is_alive()
        if not in_time:
            GAUGES.store.drop("shut_down", self._held)
        GAUGES.store.on = None
        return in_time

    async def read(
        self, query: Callable[Concatenate[sqlite3.Connection, P], T], deadline: float, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """What a query of `reading.py` finds, run in a thread; what was taken before is written first.

        Raises OutOfOrder while trouble keeps the store off, TimedOut after `deadline` seconds.
        """
        if self._pool is None:
            self._pool = ThreadPoolExecutor(_READERS, thread_name_prefix="lightwell-traces-read")
        end = monotonic() + deadline

        def run() -> T:
            self.settle(min(_SETTLE, deadline / 2))
            return self._writer.read(end, lambda connection: query(connection, *args, **kwargs))

        try:
            async with asyncio.timeout(deadline + _SETTLE):
                return await asyncio.get_running_loop().run_in_executor(self._pool, run)
        except TimeoutError:
            raise TimedOut("The store of traces took too long.") from None
        except RuntimeError as error:
            raise OutOfOrder("The store of traces is being closed.") from error

    async def routes(self, deadline: float, *, minutes: int) -> RouteTable:
        """How busy each route was in the last minutes, the present one included; raises what `read` raises."""
        process, live = self._writer.live_traffic()
        return await self.read(route_table, deadline, process, live, minutes=minutes)

    def _take(self, taken: Iterable[tuple[Taken, int]]) -> bool:
        lost = 0
        with self._ready:
            if self._stopping or self._pid != os.getpid():
                GAUGES.store.drop("shut_down", sum(spans for _, spans in taken))
                return False
            if self._writer.is_off():
                GAUGES.store.drop("off", sum(spans for _, spans in taken))
                return False
            was_empty = not self._queue
            for one, spans in taken:
                self._queue.append((one, spans))
                self._held += spans
                self._taken += 1
            while self._held > self._most_waiting and len(self._queue) > 1:
                _, oldest = self._queue.popleft()
                self._held -= oldest
                self._taken -= 1
                lost += oldest
            if was_empty:
                self._ready.notify_all()
        if lost:
            GAUGES.store.drop("queue_full", lost)
        return True

    def _run(self) -> None:
        writer = self._writer
        writer.open()
        while True:
            with self._ready:
                if not self._queue and not self._stopping:
                    self._ready.wait(writer.pause)
                waiting, stopping = bool(self._queue), self._stopping
            if waiting and not stopping:
                writer.gather()
            batch = self._next()
            writer.work(batch)
            with self._ready:
                writer.done += len(batch)
                self._ready.notify_all()
                if self._stopping and not self._queue:
                    break
        writer.end()

    def _next(self) -> list[Taken]:
        batch: list[Taken] = []
        spans = 0
        with self._ready:
            while self._queue and spans < self._writer.largest_batch:
                one, size = self._queue.popleft()
                batch.append(one)
                spans += size
            self._held -= spans
        return batch


def _is_of_the_store(kept: KeptTrace) -> bool:
    if not kept.spans:
        return False
    attributes = kept.spans[0].attributes or {}
    route = attributes.get(names.HTTP_ROUTE)
    return (
        isinstance(route, str)
        and attributes.get(names.KEPT) == _HEALTHY
        and any(own in f"{route}/" for own in _OWN_ROUTES)
    )
