"""PostgreSQL: as many threads as connections, each with its own; a unit that met another's transaction runs again.

A thread's connection is in `storage/postgresql_connection.py`.
"""

from random import uniform
from time import perf_counter_ns, sleep

import psycopg
from sqlalchemy import URL

from lightwell.kit.clock import Clock
from lightwell.storage.failures import know
from lightwell.storage.jobs import Answers, Job, StoreFacts
from lightwell.storage.postgresql_connection import Breaker, PostgresqlConnection, engine_for
from lightwell.storage.postgresql_failures import is_contended, is_lost, meaning_of
from lightwell.storage.threads import Inbox, Worker
from lightwell.storage.transaction import Dialect, Reader, Transaction

_MOST_ATTEMPTS = 6
_FIRST_PAUSE_SECONDS = 0.01
_LONGEST_PAUSE_SECONDS = 0.25

know(psycopg.Error, meaning_of)


class Postgresql:
    """A PostgreSQL database. Connections are made when they are first needed, and again after they are lost."""

    dialect: Dialect = "postgresql"
    _inbox: Inbox

    def __init__(
        self,
        address: URL,
        *,
        clock: Clock,
        store_facts: StoreFacts | None,
        pool_size: int,
        statement_timeout: float,
        lock_timeout: float,
        connect_timeout: float,
    ) -> None:
        self._address = address
        self._clock = clock
        self._store_facts = store_facts
        self._pool_size = pool_size
        self._statement_timeout = statement_timeout
        self._lock_timeout = lock_timeout
        self._connect_timeout = connect_timeout
        self._workers: list[_Worker] = []

    @property
    def connections(self) -> int:
        """Of the pool."""
        return self._pool_size

    def start(self, answers: Answers) -> None:
        """Start the threads."""
        self._inbox = Inbox(answers.loop)
        engine = engine_for(self._address, self._connect_timeout)
        breaker = Breaker()
        self._workers = [
            _Worker(
                f"postgresql-{number}",
                self._inbox,
                answers,
                PostgresqlConnection(engine, breaker, self._statement_timeout, self._lock_timeout),
                self._clock,
                self._store_facts,
            )
            for number in range(self._pool_size)
        ]
        for worker in self._workers:
            worker.start()

    def submit(self, job: Job) -> None:
        """Put a job behind those that wait."""
        self._inbox.put(job)

    def abandon(self, job: Job) -> None:
        """Cut the connection that a job hangs on."""
        for worker in self._workers:
            if worker.job is job:
                worker.cut()

    def stop(self) -> None:
        """End the threads."""
        if self._workers:
            self._inbox.close()
        for worker in self._workers:
            worker.join()
        self._workers = []


class _Worker(Worker):
    def __init__(
        self,
        name: str,
        inbox: Inbox,
        answers: Answers,
        link: PostgresqlConnection,
        clock: Clock,
        store_facts: StoreFacts | None,
    ) -> None:
        super().__init__(name, inbox, answers)
        self._link = link
        self._clock = clock
        self._store_facts = store_facts
        self.job: Job | None = None
        """What it works on; read by the event loop's thread."""

    def cut(self) -> None:
        """Break the connection off; called in another thread."""
        self._link.cut()

    def open(self) -> None:
        """Nothing yet: the connection is opened for the first job, and again after it broke."""

    def close(self) -> None:
        """Close the connection."""
        self._link.close()

    def serve(self, job: Job) -> None:
        """Run a unit, more than once when others are in its way, and answer it."""
        if job.future.done():
            self.drop(job)
            return
        self.job = job
        attempt = 1
        while (error := self._attempt(job)) is not None and attempt < _MOST_ATTEMPTS and not job.future.done():
            job.unit.retry(error)
            if is_contended(error):
                sleep(uniform(0, min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2**attempt)))  # noqa: S311 -- no secret
            attempt += 1
        if error is not None:
            job.fail(error)
        self.job = None
        self._answers.give((job,))

    def _attempt(self, job: Job) -> BaseException | None:
        """Run a unit once; returns the error that another attempt may mend."""
        job.start()
        link = self._link
        committing = 0
        try:
            link.begin(job.kind)
            self._run(job)
            committing = perf_counter_ns()
            link.commit()
        except BaseException as error:  # noqa: BLE001 -- it is the caller's
            link.recover(error)
            if committing:
                job.commit_failed(committing, error)
            if is_contended(error) or (is_lost(error) and not committing and not link.is_refused):
                return error
            job.fail(error)
        else:
            job.unit.finish(None)
        return None

    def _run(self, job: Job) -> None:
        if job.kind == "read":
            job.query(Reader(self._link.connection, self._clock.now(), "postgresql", job.observer))
            return
        tx = Transaction(self._link.connection, self._clock.now(), "postgresql", job.observer)
        job.perform(tx, self._store_facts)
