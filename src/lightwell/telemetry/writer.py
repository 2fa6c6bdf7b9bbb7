"""The writer of the store: its file from opening to closing, and what it does when the file cannot be written."""

import os
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from time import monotonic, perf_counter_ns, time
from typing import Final, TypeVar

from lightwell.errors import OutOfOrder, TimedOut
from lightwell.instrumentation import metrics
from lightwell.instrumentation import vocabulary as names
from lightwell.instrumentation.kept import KeptTrace
from lightwell.instrumentation.metrics import GAUGES
from lightwell.instrumentation.outcomes import qualified_name
from lightwell.instrumentation.traffic import Traffic
from lightwell.instrumentation.words import log
from lightwell.telemetry import file, traffic_table, writing
from lightwell.telemetry.packing import Piece, piece_of
from lightwell.telemetry.writing import Ready, Ring

T = TypeVar("T")

_GATHER: Final = 0.05
"""Seconds that the first of a batch waits for others: a transaction for each trace would cost more than the traces."""

_TIDY: Final = 5.0
"""Seconds between two looks at what is too old, and two writings of the traffic."""

_STEPS: Final = 5_000
"""Of SQLite's machine, between two looks at the clock."""

_MEMORY: Final = "memory"


class Writer:
    """Used by the store's thread; `read`, `is_off` and `trouble` are for others too."""

    largest_batch: Final = 2_000
    pause: Final = _TIDY

    def __init__(self, path: Path | None, ring: Ring, traffic: Traffic, *, retry_after: float) -> None:
        self.trouble: str | None = None
        self.done = 0
        self.hurry = threading.Event()
        self.tried = threading.Event()
        """Set once the file was opened for the first time, or could not be."""
        self._path = path
        self._ring = ring
        self._traffic = traffic
        self._process = f"{os.getpid()}-{token_hex(4)}"
        self._retry_after = retry_after
        self._retry_at = 0.0
        self._told = False
        self._tidied = 0.0
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._suspect: sqlite3.Error | None = None
        self._guard = threading.Lock()
        self._readers = threading.local()
        self._reading: set[sqlite3.Connection] = set()

    def is_off(self) -> bool:
        """Whether trouble keeps the store off, and it is not time to try again."""
        return self.trouble is not None and monotonic() < self._retry_at

    def gather(self) -> None:
        """Let a batch become larger, unless somebody waits for it."""
        self.hurry.wait(_GATHER)
        self.hurry.clear()

    def open(self) -> None:
        """Open the file; trouble is told and remembered."""
        self._open()
        self.tried.set()

    def _open(self) -> None:
        try:
            with self._guard:
                self._connection = file.open_for_writing(self._path)
                self._identity = None if self._path is None else file.identity_of(self._path)
                held = writing.measure(self._connection)
        except (sqlite3.Error, OSError) as error:
            self._fail(error)
            return
        self.trouble = None
        GAUGES.store.on = True
        self._show(held)

    def end(self) -> None:
        """Close the file for good, for readers too: the last one to close it tidies its journal away."""
        self._tidied = 0.0
        self.work(())
        for connection in list(self._reading):
            connection.interrupt()
            with suppress(sqlite3.Error):
                connection.close()
        self.close()

    def close(self) -> None:
        """Close the writer's own connection."""
        with self._guard, suppress(sqlite3.Error):
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def work(self, batch: Sequence[KeptTrace | Piece]) -> None:
        """Write a batch, which may be empty, and keep the ring in its bounds."""
        if self._suspect is not None:
            self._fail(self._suspect)
            self._suspect = None
        self._make_open()
        is_time = monotonic() - self._tidied >= _TIDY
        if not batch and not is_time:
            return
        spans = sum(len(one.spans) for one in batch)
        if self._connection is None:
            GAUGES.store.drop("off", spans)
            return
        began = perf_counter_ns()
        ready = [one for taken in batch if (one := _made_ready(taken)) is not None]
        try:
            with self._guard:
                self._write(self._connection, ready, is_time=is_time)
        except (sqlite3.Error, OSError) as error:
            GAUGES.store.drop("write_failed", spans)
            self._fail(error)
            return
        if ready:
            GAUGES.store.stored += sum(one.counts[0] for one in ready)
            metrics.store_wrote(perf_counter_ns() - began)
            self._well_again()

    def _write(self, connection: sqlite3.Connection, ready: Sequence[Ready], *, is_time: bool) -> None:
        now = time()
        if ready:
            writing.write(connection, ready, now)
        if is_time:
            self._tidied = monotonic()
            if self._path is not None:
                traffic_table.write(connection, self._process, self._traffic.minutes(), now)
        self._show(writing.trim(connection, self._ring, now))

    def read(self, end: float, query: Callable[[sqlite3.Connection], T]) -> T:
        """What a query finds; raises OutOfOrder, and TimedOut where it is not done at `end` (of `monotonic()`)."""
        if self.trouble is not None:
            raise OutOfOrder(f"The store of traces is off: {self.trouble}.")
        try:
            if self._path is not None:
                return _within(self._reader(self._path), end, query)
            with self._guard:
                if self._connection is None:
                    raise OutOfOrder("The store of traces is being closed.")
                return _within(self._connection, end, query)
        except (sqlite3.Error, ValueError) as error:
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
                raise TimedOut("The store of traces took too long.") from None
            if isinstance(error, sqlite3.Error) and file.is_corrupt(error):
                self._suspect = error
            raise OutOfOrder(f"The store of traces cannot be read: {file.trouble_of(error)}.") from error

    def live_traffic(self) -> tuple[str, Traffic]:
        """The process's name in the table of traffic, and what it has not written there yet."""
        return self._process, self._traffic

    def _reader(self, path: Path) -> sqlite3.Connection:
        """The present thread's connection, to the file that has the name now."""
        present: tuple[sqlite3.Connection, tuple[int, int] | None] | None = getattr(self._readers, "present", None)
        identity = file.identity_of(path)
        if present is not None:
            if present[1] == identity:
                return present[0]
            self._reading.discard(present[0])
            present[0].close()
        connection = file.open_for_reading(path)
        self._reading.add(connection)
        self._readers.present = connection, identity
        return connection

    def _make_open(self) -> None:
        """Try again what failed a while ago; begin anew where the file was deleted, or replaced by another process."""
        if self._connection is None:
            if monotonic() >= self._retry_at:
                self.open()
        elif self._path is not None and (identity := file.identity_of(self._path)) != self._identity:
            self.close()
            if identity is None:
                file.forget_journal(self._path)
            self.open()

    def _fail(self, error: BaseException) -> None:
        identity = self._identity
        self.close()
        if self._path is not None and file.is_corrupt(error):
            file.set_aside(self._path, identity)
        self.trouble = file.trouble_of(error)
        self._retry_at = monotonic() + self._retry_after
        GAUGES.store.on = False
        if not self._told:
            self._told = True
            log.warning(
                names.STORE_OFF.name,
                trouble=self.trouble,
                path=_MEMORY if self._path is None else str(self._path),
                exception_type=qualified_name(error),
            )

    def _well_again(self) -> None:
        if self._told:
            self._told = False
            log.info(names.STORE_ON_AGAIN.name, path=str(self._path))

    def _show(self, held: writing.Held) -> None:
        store = GAUGES.store
        store.spans, store.size, store.oldest = held.spans, held.size, held.oldest


def _made_ready(taken: KeptTrace | Piece) -> Ready | None:
    """What cannot be packed is lost alone."""
    try:
        piece = piece_of(taken) if isinstance(taken, KeptTrace) else taken
        return None if piece is None else writing.made_ready(piece)
    except Exception:  # noqa: BLE001 -- whatever somebody put into a span, the thread goes on
        GAUGES.store.drop("unreadable", len(taken.spans))
        return None


def _within(connection: sqlite3.Connection, end: float, query: Callable[[sqlite3.Connection], T]) -> T:
    connection.set_progress_handler(lambda: monotonic() > end, _STEPS)
    try:
        return query(connection)
    finally:
        connection.set_progress_handler(None, 0)
