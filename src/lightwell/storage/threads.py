"""A database thread: opens what it works with, serves jobs in turn, and closes.

What it works with is in `storage/sqlite.py`, `storage/group_commit.py` and `storage/postgresql.py`.
"""

from abc import ABC, abstractmethod
from asyncio import AbstractEventLoop
from collections import deque
from concurrent.futures import Future
from math import inf
from threading import Lock, Thread
from time import monotonic

from lightwell.storage.jobs import Answers, Job


class Inbox:
    """Jobs that wait for one of several threads; the thread that fell idle last is rung first, its caches are warm.

    `patience`: while a thread is at work already, another is rung only when none has taken a job for so many seconds,
    or one has waited five times as long. Threads that compute share Python's one lock, and two of them need more time
    for small jobs than one.
    """

    def __init__(self, loop: AbstractEventLoop, patience: float = 0.0) -> None:
        self._loop = loop
        self._patience = patience
        self._jobs: deque[Job] = deque()
        self._bells: list[Lock] = []
        """Of the idle threads. Both sides add first and look afterwards, so that no job is left without a ring."""
        self._members = 0
        self._last: Job | None = None
        self._last_seen: Job | None = None
        """The job that was taken last, now and when it was last looked at."""
        self._is_nudging = False
        self._is_closed = False

    def join(self) -> Lock:
        """The bell of one more thread, to call `get` with."""
        self._members += 1
        bell = Lock()
        bell.acquire()
        return bell

    def put(self, job: Job) -> None:
        """Add a job; called on the event loop's thread."""
        self._jobs.append(job)
        if not self._patience or len(self._bells) == self._members:
            self._ring()
        elif self._bells and not self._is_nudging:
            self._is_nudging = True
            self._last_seen = self._last
            self._loop.call_later(self._patience, self._nudge)

    def close(self) -> None:
        """No job will come any more: the threads end."""
        self._is_closed = True
        for _ in range(self._members):
            self._ring()

    def get(self, bell: Lock) -> Job | None:
        """Wait for a job; None at the end."""
        while True:
            if (job := self.take()) is not None:
                return job
            if self._is_closed:
                return None
            self._bells.append(bell)
            if not self._jobs and not self._is_closed:
                bell.acquire()
                continue
            try:
                self._bells.remove(bell)
            except ValueError:
                # It is being rung this moment.
                bell.acquire()

    def take(self) -> Job | None:
        """The next job, if there is one."""
        try:
            job = self._jobs.popleft()
        except IndexError:
            return None
        self._last = job
        return job

    def _ring(self) -> None:
        try:
            bell = self._bells.pop()
        except IndexError:
            return
        bell.release()

    def _nudge(self) -> None:
        self._is_nudging = False
        if not self._jobs or not self._bells:
            return
        if self._last is self._last_seen or monotonic() - self._asked_first() > 5 * self._patience:
            self._ring()
        self._last_seen = self._last
        self._is_nudging = True
        self._loop.call_later(self._patience, self._nudge)

    def _asked_first(self) -> float:
        try:
            return self._jobs[0].asked
        except IndexError:
            return inf


class Worker(ABC):
    """One thread that takes jobs from an inbox, which it may share, until it is closed."""

    def __init__(self, name: str, inbox: Inbox, answers: Answers) -> None:
        self._inbox = inbox
        self._answers = answers
        self._opened: Future[None] = Future()
        # A daemon: an interpreter that ends without `stop` must not wait for ever.
        self._thread = Thread(target=self._live, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread; returns when it is ready to serve, or raises why it cannot be."""
        self._thread.start()
        self._opened.result()

    def join(self) -> None:
        """Wait until the thread has ended."""
        self._thread.join()

    @abstractmethod
    def open(self) -> None:
        """Get ready, in the thread."""

    @abstractmethod
    def serve(self, job: Job) -> None:
        """Run a job and answer it; what it raises by itself is the job's answer."""

    @abstractmethod
    def close(self) -> None:
        """Let go of everything, in the thread."""

    def drop(self, job: Job) -> None:
        """Pass over a job that nobody waits for."""
        job.abandon()
        self._answers.give((job,))

    def refuse(self, job: Job, error: BaseException) -> None:
        """Answer a job with what it failed with."""
        job.fail(error)
        self._answers.give((job,))

    def _live(self) -> None:
        try:
            self.open()
        except BaseException as error:  # noqa: BLE001 -- it is the caller's
            self._opened.set_exception(error)
            return
        bell = self._inbox.join()
        self._opened.set_result(None)
        try:
            while (job := self._inbox.get(bell)) is not None:
                try:
                    self.serve(job)
                except BaseException as error:  # noqa: BLE001 -- the caller gets it, and the thread goes on
                    self.refuse(job, error)
        finally:
            self.close()
