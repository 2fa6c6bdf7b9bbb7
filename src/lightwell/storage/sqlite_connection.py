"""A connection to SQLite as the work of its thread needs it, with a deadline that a long statement looks at.

BEGIN, SAVEPOINT and COMMIT go to the driver's connection (`raw`), while SQLAlchemy's (`connection`) is left in
AUTOCOMMIT: it costs a few microseconds, and Python 3.11's driver would not begin a transaction before a savepoint.
"""

import sqlite3
from datetime import datetime
from math import inf
from pathlib import Path
from time import monotonic
from typing import Literal, cast

from sqlalchemy import Engine, NullPool, create_engine, text

from lightwell.storage.columns import ID_FROM_HEX
from lightwell.storage.jobs import Job
from lightwell.storage.transaction import Reader

_OPERATIONS_BETWEEN_LOOKS = 500_000
"""Of SQLite's virtual machine, between two looks at the deadline: some 5 ms."""

_COMMON = ("PRAGMA foreign_keys=ON", "PRAGMA temp_store=MEMORY")
_WRITING = ("PRAGMA cache_size=-32768", "PRAGMA wal_autocheckpoint=0", "PRAGMA journal_size_limit=67108864")
_READING = ("PRAGMA cache_size=-8192", "PRAGMA mmap_size=268435456", "PRAGMA query_only=ON")


def engine_for(path: Path | None, lock_timeout: float) -> Engine:
    """What makes connections to a file, or (None) each to a memory of its own."""

    def connect() -> sqlite3.Connection:
        raw = sqlite3.connect(path or ":memory:", isolation_level=None, timeout=lock_timeout, cached_statements=512)
        raw.create_function(ID_FROM_HEX, 1, bytes.fromhex, deterministic=True)
        return raw

    return create_engine(
        "sqlite://",
        creator=connect,
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,
        query_cache_size=1000,
    )


class SqliteConnection:
    """Made, used and closed in one thread; `seconds` is how long a unit may take before it is interrupted."""

    def __init__(self, engine: Engine, seconds: float) -> None:
        self._seconds = seconds
        self._deadline = inf
        self.connection = engine.connect()
        self.raw = cast("sqlite3.Connection", self.connection.connection.driver_connection)
        # From now on SQLAlchemy sees a transaction that never ends, and so has nothing to do around a statement.
        self.connection.execute(text("SELECT 1"))
        self.raw.set_progress_handler(self._is_late, _OPERATIONS_BETWEEN_LOOKS)

    def prepare_to_write(self, synchronous: Literal["NORMAL", "FULL"], lock_slice: float) -> None:
        """Set up for the one connection that writes; to begin, it waits `lock_slice` seconds for a foreign lock."""
        self._set("PRAGMA journal_mode=WAL", *_COMMON, *_WRITING, f"PRAGMA synchronous={synchronous}")
        self._set(f"PRAGMA busy_timeout={round(lock_slice * 1000)}")

    def prepare_to_read(self) -> None:
        """Set up for a connection that cannot write."""
        self._set(*_COMMON, *_READING)

    def allow_time(self) -> None:
        """A unit begins: its time counts from here."""
        self._deadline = monotonic() + self._seconds

    def query(self, job: Job, now: datetime) -> None:
        """Run a query on the view of the database that is found when it begins; the job keeps how it went."""
        self.allow_time()
        job.start()
        try:
            self.raw.execute("BEGIN")
            job.query(Reader(self.connection, now, "sqlite", job.observer, self.raw))
        except BaseException as error:  # noqa: BLE001 -- it is the caller's
            job.fail(error)
        else:
            job.unit.finish(None)
        if self.raw.in_transaction:
            self.raw.execute("ROLLBACK")

    def close(self) -> None:
        """Close it."""
        self.connection.close()

    def _set(self, *pragmas: str) -> None:
        for pragma in pragmas:
            self.raw.execute(pragma).fetchall()

    def _is_late(self) -> bool:
        return monotonic() > self._deadline
