"""A unit of work on its way: accepted on the event loop, run in a database thread, answered on the event loop.

The threads are in `storage/sqlite.py` and `storage/postgresql.py`; who accepts is `storage/database.py`.
"""

from asyncio import AbstractEventLoop, CancelledError, Future
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import copy_context
from time import monotonic, perf_counter_ns
from traceback import clear_frames
from typing import Any, Literal

from lightwell.errors import Defect, Rejected
from lightwell.events.facts import Fact
from lightwell.instrumentation.units import Unit
from lightwell.storage.failures import driver_error, is_of_fetching, translated
from lightwell.storage.transaction import Dialect, Reader, Transaction

Kind = Literal["read", "write"]
StoreFacts = Callable[[Transaction, Sequence[Fact]], None]


class Job:
    """One call of a verb or a query, as a value: it can be run, run again, answered or dropped.

    `asked` and `started` are in seconds of `time.monotonic`; `started` is 0 until a thread has taken it.
    """

    __slots__ = (
        "_args",
        "_call",
        "_context",
        "_kwargs",
        "asked",
        "error",
        "facts",
        "future",
        "kind",
        "result",
        "started",
        "unit",
    )

    def __init__(
        self,
        kind: Kind,
        dialect: Dialect,
        call: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        future: Future[Any],
    ) -> None:
        self.kind: Kind = kind
        self._call = call
        self._args = args
        self._kwargs = kwargs
        self._context = copy_context()
        self.future = future
        self.unit = Unit(kind, _name(call), dialect)
        self.asked = monotonic()
        self.started = 0.0
        self.result: Any = None
        self.error: BaseException | None = None
        self.facts: Sequence[Fact] = ()

    @property
    def observer(self) -> Unit | None:
        """Who wants to know of its statements, if anybody does."""
        recording = self.unit.recording
        return self.unit if recording is not None and recording.live else None

    def start(self) -> None:
        """Say that a thread begins with it, or begins again."""
        self.started = monotonic()
        self.unit.begin()

    def query(self, reader: Reader) -> None:
        """Run a query in the caller's context and keep what it returns."""
        self.result = self._context.run(self._call, reader, *self._args, **self._kwargs)

    def perform(self, tx: Transaction, store_facts: StoreFacts | None) -> None:
        """Run a verb in the caller's context, store its facts, and keep what it returns."""
        self.result = self._context.run(self._call, tx, *self._args, **self._kwargs)
        if tx.failure is not None:
            raise tx.failure
        if tx.facts and store_facts is not None:
            store_facts(tx, tx.facts)
        self.facts = (*tx.announced, *tx.facts)

    def fail(self, error: BaseException) -> None:
        """Keep what it failed with, as the caller is to see it; its facts never happened."""
        # Frames of a dead unit hold cursors, and an open cursor holds its thread's view of the database.
        clear_frames(error.__traceback__)
        meaning = translated(error)
        if isinstance(meaning, StopIteration):
            # A future refuses it, and the caller would wait for ever.
            meaning = Defect("A unit of work raised StopIteration")
            meaning.__cause__ = error
        if is_of_fetching(error):
            self.unit.break_last(driver_error(error), is_failure=not isinstance(meaning, Rejected))
        self.error = meaning
        self.result = None
        self.facts = ()
        self.unit.finish(meaning)

    def commit_failed(self, started: int, error: BaseException) -> None:
        """Say that the commit raised that began at `started` (`time.perf_counter_ns()`)."""
        if self.observer is not None:
            self.unit.broken("COMMIT", started, perf_counter_ns(), driver_error(error), is_failure=True)

    def abandon(self) -> None:
        """Say that it is passed over, because nobody waits for it any more."""
        self.unit.finish(CancelledError() if self.future.cancelled() else self.future.exception())

    def settle(self) -> None:
        """Answer the caller, if it still waits."""
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class Answers:
    """Carries finished jobs from database threads to the event loop, as many as there are at each wake-up.

    On the loop's thread, `publish` gets the facts of them all, in the order of their commits, then each is given to
    `release` and answered.
    """

    def __init__(
        self, loop: AbstractEventLoop, publish: Callable[[Sequence[Fact]], None], release: Callable[[Job], None]
    ) -> None:
        self.loop = loop
        self._publish = publish
        self._release = release
        self._finished: deque[Job] = deque()
        self._is_called = False

    def give(self, jobs: Iterable[Job]) -> None:
        """Take finished jobs; called in a database thread."""
        self._finished.extend(jobs)
        # The loop lowers the flag before it looks, so what was added while the flag is up will be seen.
        if not self._is_called:
            self._is_called = True
            self.loop.call_soon_threadsafe(self._hand_over)

    def _hand_over(self) -> None:
        self._is_called = False
        finished = self._finished
        jobs = [finished.popleft() for _ in range(len(finished))]
        facts = [fact for job in jobs for fact in job.facts]
        try:
            if facts:
                self._publish(facts)
        finally:
            for job in jobs:
                self._release(job)
                job.settle()


def _name(call: Callable[..., Any]) -> str:
    module: str = getattr(call, "__module__", None) or ""
    return f"{module.rpartition('.')[2]}.{getattr(call, '__name__', 'unnamed')}"
