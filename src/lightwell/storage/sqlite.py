"""SQLite: one thread that writes and a few that read.

How writes share a commit is in `storage/group_commit.py`, how the log is emptied in `storage/checkpoints.py`.
"""

import sqlite3
from pathlib import Path
from typing import Literal

from sqlalchemy import Engine

from lightwell.errors import Unavailable
from lightwell.kit.clock import Clock
from lightwell.storage.checkpoints import Checkpointer
from lightwell.storage.failures import know, raise_translated
from lightwell.storage.group_commit import Writer
from lightwell.storage.jobs import Answers, Job, StoreFacts
from lightwell.storage.sqlite_connection import SqliteConnection, engine_for
from lightwell.storage.sqlite_failures import meaning_of
from lightwell.storage.threads import Inbox, Worker
from lightwell.storage.transaction import Dialect

_PATIENCE_SECONDS = 0.001

know(sqlite3.Error, meaning_of)


class Sqlite:
    """A SQLite database: a file, or (no path) one in memory that lives as long as the engine runs.

    In memory, one thread reads and writes on one connection: connections that share a cache have no consistent reads.
    """

    dialect: Dialect = "sqlite"
    _writes: Inbox
    _reads: Inbox

    def __init__(
        self,
        path: Path | None,
        *,
        clock: Clock,
        store_facts: StoreFacts | None,
        synchronous: Literal["NORMAL", "FULL"],
        readers: int,
        statement_timeout: float,
        lock_timeout: float,
    ) -> None:
        self._path = path
        self._clock = clock
        self._store_facts = store_facts
        self._synchronous: Literal["NORMAL", "FULL"] = synchronous
        self._reader_count = readers
        self._statement_timeout = statement_timeout
        self._lock_timeout = lock_timeout
        self._writer: Worker | None = None
        self._readers: list[Worker] = []
        self._checkpointer: Checkpointer | None = None

    @property
    def connections(self) -> int:
        """The writer's, and those of the readers."""
        return 1 + (0 if self._path is None else self._reader_count)

    def start(self, answers: Answers) -> None:
        """Open the file, made with its directory where there is none, and start the threads."""
        try:
            self._start(answers)
        except OSError as error:
            self.stop()
            raise Unavailable("The directory of the database cannot be made") from error
        except Exception as error:  # noqa: BLE001 - raised again, with its meaning
            self.stop()
            raise_translated(error)

    def submit(self, job: Job) -> None:
        """Put a job behind those that wait."""
        (self._writes if job.kind == "write" else self._reads).put(job)

    def abandon(self, job: Job) -> None:
        """Nothing: a unit looks at its deadline by itself."""

    def stop(self) -> None:
        """End the threads; the writer last, because the last connection to close puts the log away."""
        if self._readers:
            self._reads.close()
        for reader in self._readers:
            reader.join()
        self._readers = []
        if self._checkpointer is not None:
            self._checkpointer.stop()
            self._checkpointer = None
        if self._writer is not None:
            self._writes.close()
            self._writer.join()
            self._writer = None

    def _start(self, answers: Answers) -> None:
        path = self._path
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        engine = engine_for(path, self._lock_timeout)
        self._writes = self._reads = Inbox(answers.loop)
        checkpointer = None if path is None else Checkpointer(path)
        writer = Writer(
            "sqlite-writer",
            self._writes,
            answers,
            engine=engine,
            clock=self._clock,
            store_facts=self._store_facts,
            note_commit=None if checkpointer is None else checkpointer.note_commit,
            synchronous=self._synchronous,
            statement_timeout=self._statement_timeout,
            lock_timeout=self._lock_timeout,
        )
        writer.start()
        self._writer = writer
        if checkpointer is None:
            return
        checkpointer.start()
        self._checkpointer = checkpointer
        self._reads = Inbox(answers.loop, _PATIENCE_SECONDS)
        for number in range(self._reader_count):
            reader = _ReaderThread(
                f"sqlite-reader-{number}", self._reads, answers, engine, self._clock, self._statement_timeout
            )
            reader.start()
            self._readers.append(reader)


class _ReaderThread(Worker):
    """Runs queries, each on the view of the database that it finds when it begins."""

    def __init__(
        self, name: str, inbox: Inbox, answers: Answers, engine: Engine, clock: Clock, statement_timeout: float
    ) -> None:
        super().__init__(name, inbox, answers)
        self._engine = engine
        self._clock = clock
        self._statement_timeout = statement_timeout

    def open(self) -> None:
        """Open a connection that cannot write."""
        self._link = SqliteConnection(self._engine, self._statement_timeout)
        self._link.prepare_to_read()

    def serve(self, job: Job) -> None:
        """Run a query."""
        if job.future.done():
            self.drop(job)
            return
        self._link.query(job, self._clock.now())
        self._answers.give((job,))

    def close(self) -> None:
        """Close the connection."""
        self._link.close()
