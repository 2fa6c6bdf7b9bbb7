"""The thread that writes to SQLite: it takes all units that wait, and commits them together.

The first unit of a group is alone in its transaction; each one after it has a savepoint, so that its failure takes back
its own rows only. Nobody is told of a success before the commit.
"""

import sqlite3
from collections.abc import Callable
from math import inf
from time import monotonic, perf_counter_ns
from typing import Literal

from sqlalchemy import Engine

from lightwell.errors import Busy
from lightwell.kit.clock import Clock
from lightwell.storage.jobs import Answers, Job, StoreFacts
from lightwell.storage.sqlite_connection import SqliteConnection
from lightwell.storage.threads import Inbox, Worker
from lightwell.storage.transaction import Transaction

_GROUP_SECONDS = 0.02
"""No unit joins a group that is older: those in it wait for the commit."""
_MOST_IN_GROUP = 256
_LOCK_SLICE_SECONDS = 0.2
"""How long an attempt to begin waits for a foreign lock before it looks who still waits for it."""


class Writer(Worker):
    """The one thread that writes; in a database in memory it reads, too, between groups."""

    def __init__(  # noqa: PLR0913 -- each is a setting
        self,
        name: str,
        inbox: Inbox,
        answers: Answers,
        *,
        engine: Engine,
        clock: Clock,
        store_facts: StoreFacts | None,
        note_commit: Callable[[], None] | None,
        synchronous: Literal["NORMAL", "FULL"],
        statement_timeout: float,
        lock_timeout: float,
    ) -> None:
        super().__init__(name, inbox, answers)
        self._engine = engine
        self._clock = clock
        self._store_facts = store_facts
        self._note_commit = note_commit
        self._synchronous: Literal["NORMAL", "FULL"] = synchronous
        self._statement_timeout = statement_timeout
        self._lock_timeout = lock_timeout
        self._is_open = False
        self._locked_at = -inf
        """When a foreign lock was met last."""
        self._group: list[Job] = []
        """Units that have run in the open transaction; there is none open while it is empty and no unit runs."""

    def open(self) -> None:
        """Open the connection that writes."""
        self._link = SqliteConnection(self._engine, self._statement_timeout)
        self._link.prepare_to_write(self._synchronous, min(self._lock_timeout, _LOCK_SLICE_SECONDS))
        self._is_open = True

    def close(self) -> None:
        """Close the connection."""
        self._link.close()

    def serve(self, job: Job) -> None:
        """Run a unit and those that wait behind it, and commit them together."""
        try:
            if not self._is_open:
                self.open()
        except Exception as error:  # noqa: BLE001 -- it is the caller's
            self.refuse(job, error)
            return
        try:
            self._serve_group(job)
        except BaseException as error:  # noqa: BLE001 -- it is the caller's
            self._start_over(error)

    def _serve_group(self, job: Job) -> None:
        closing = monotonic() + _GROUP_SECONDS
        following: Job | None = job
        while following is not None:
            self._take(following)
            following = self._next(closing)
        self._commit()

    def _start_over(self, error: BaseException) -> None:
        """Not even a rollback works: close the connection, which takes everything back; the next unit opens another."""
        group, self._group = self._group, []
        for job in group:
            job.fail(error)
        self._answers.give(group)
        self._is_open = False
        self._link.close()

    def _next(self, closing: float) -> Job | None:
        if len(self._group) >= _MOST_IN_GROUP or monotonic() > closing:
            return None
        return self._inbox.take()

    def _take(self, job: Job) -> None:
        if job.future.done():
            self.drop(job)
        elif job.kind == "read":
            self._commit()
            self._read(job)
        elif self._begin(job):
            self._run(job)

    def _read(self, job: Job) -> None:
        self._link.raw.execute("PRAGMA query_only=ON")
        self._link.query(job, self._clock.now())
        self._link.raw.execute("PRAGMA query_only=OFF")
        self._answers.give((job,))

    def _begin(self, job: Job) -> bool:
        """Make room for a unit: a savepoint, or a new transaction when there is none; if neither can be, answer it."""
        self._link.allow_time()
        give_up = job.asked + self._lock_timeout
        try:
            if self._group:
                self._link.raw.execute("SAVEPOINT unit")
            else:
                self._wait_for_lock(job, give_up)
        except (sqlite3.Error, Busy) as error:
            self.refuse(job, error)
            return False
        if job.future.done():
            self._take_back()
            self.drop(job)
            return False
        return True

    def _wait_for_lock(self, job: Job, give_up: float) -> None:
        """Begin a transaction, when other programs let us; Busy at `give_up`."""
        while True:
            if monotonic() > give_up and monotonic() - self._locked_at < _LOCK_SLICE_SECONDS:
                raise Busy("Another program holds the database")
            try:
                self._link.raw.execute("BEGIN IMMEDIATE")
            except sqlite3.Error as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or job.future.done():
                    raise
                self._locked_at = monotonic()
            else:
                return

    def _run(self, job: Job) -> None:
        job.start()
        tx = Transaction(self._link.connection, self._clock.now(), "sqlite", job.observer, self._link.raw)
        try:
            job.perform(tx, self._store_facts)
            if self._group:
                self._link.raw.execute("RELEASE unit")
        except BaseException as error:  # noqa: BLE001 -- it is the caller's
            job.fail(error)
            self._undo(job)
        else:
            self._group.append(job)

    def _undo(self, job: Job) -> None:
        """Answer a unit that failed, and take it back."""
        self._answers.give((job,))
        if self._link.raw.in_transaction:
            self._take_back()
            return
        # An interrupted statement or a full disk has taken the whole group with it, which did nothing wrong.
        group, self._group = self._group, []
        self._run_alone(group, job.error)

    def _take_back(self) -> None:
        if self._group:
            self._link.raw.execute("ROLLBACK TO unit")
            self._link.raw.execute("RELEASE unit")
        else:
            self._link.raw.execute("ROLLBACK")

    def _run_alone(self, group: list[Job], error: BaseException | None) -> None:
        """Run units once more, because of something that failed elsewhere, each in a transaction of its own."""
        for job in group:
            if error is not None:
                job.unit.retry(error)
            if self._begin(job):
                self._run(job)
                self._commit()

    def _commit(self) -> None:
        group, self._group = self._group, []
        if not group:
            return
        started = perf_counter_ns()
        try:
            self._link.raw.execute("COMMIT")
        except sqlite3.Error as error:
            for job in group:
                job.commit_failed(started, error)
            if self._link.raw.in_transaction:
                self._link.raw.execute("ROLLBACK")
            if len(group) == 1:
                self.refuse(group[0], error)
            else:
                self._run_alone(group, error)
            return
        for job in group:
            job.unit.finish(None, len(group))
        self._answers.give(group)
        if self._note_commit is not None:
            self._note_commit()
