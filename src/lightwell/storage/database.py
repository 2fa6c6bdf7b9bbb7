"""The one door to the database: `read` and `write` run synchronous units of work in database threads.

What happens there is in `storage/sqlite.py` and `storage/postgresql.py`; what a unit is given, in
`storage/transaction.py`.
"""

import asyncio
from asyncio import AbstractEventLoop, Future
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Concatenate, Literal, NamedTuple, ParamSpec, Protocol, TypeVar

from sqlalchemy import URL, make_url, text
from sqlalchemy.exc import ArgumentError

from lightwell.errors import Busy, Invalid, TimedOut, Unavailable
from lightwell.events.bus import Bus
from lightwell.events.facts import Fact
from lightwell.kit.clock import Clock
from lightwell.kit.late import load
from lightwell.storage.jobs import Answers, Job, Kind, StoreFacts
from lightwell.storage.transaction import Dialect, Reader, Transaction

if TYPE_CHECKING:
    from lightwell.storage.postgresql import Postgresql
    from lightwell.storage.sqlite import Sqlite

P = ParamSpec("P")
T = TypeVar("T")

_ANSWER_SECONDS = 2.0
_WATCH_SECONDS = 0.25
_PING = text("SELECT 1")
_KINDS: tuple[Kind, ...] = ("read", "write")


class Engine(Protocol):
    """A kind of database: threads that take jobs and give them back finished."""

    dialect: Dialect

    @property
    def connections(self) -> int:
        """How many units can run at once."""

    def start(self, answers: Answers) -> None:
        """Start the threads; blocks until they can work. Unavailable when they cannot."""

    def submit(self, job: Job) -> None:
        """Take a job, without blocking."""

    def abandon(self, job: Job) -> None:
        """Break off a job that nobody waits for any more, where that is possible."""

    def stop(self) -> None:
        """End the threads, when no job is left; blocks."""


class Load(NamedTuple):
    """Units that wait and units that run, by kind, and the connections that they share."""

    waiting: Mapping[str, int]
    running: Mapping[str, int]
    connections: int


class Database:
    """The database of this process.

    Units of work are synchronous functions. They run in database threads, in a copy of the caller's context; what they
    return is given to the caller on the event loop, after the commit. At most `queue_limit` units of each kind may be
    on their way at once; one that has waited `queue_timeout` seconds for its turn, or has run for `answer_timeout`, is
    not waited for any longer.
    """

    def __init__(
        self, engine: Engine, bus: Bus, *, queue_limit: int, queue_timeout: float, answer_timeout: float
    ) -> None:
        self._engine = engine
        self._bus = bus
        self._queue_limit = queue_limit
        self._queue_timeout = queue_timeout
        self._answer_timeout = answer_timeout
        self._loop: AbstractEventLoop | None = None
        self._jobs: set[Job] = set()
        self._counts: dict[Kind, int] = {"read": 0, "write": 0}
        self._watch: asyncio.TimerHandle | None = None
        self._drained: Future[None] | None = None

    @property
    def dialect(self) -> Dialect:
        """Which database it is."""
        return self._engine.dialect

    @property
    def pending(self) -> dict[Kind, int]:
        """How many units of each kind are waiting or running."""
        return dict(self._counts)

    @property
    def load(self) -> Load:
        """How many units wait and run just now; callable from any thread."""
        jobs = [job for job in tuple(self._jobs) if not job.future.done()]
        running = [job.kind for job in jobs if job.started]
        asked = [job.kind for job in jobs if not job.started]
        return Load(
            {kind: asked.count(kind) for kind in _KINDS},
            {kind: running.count(kind) for kind in _KINDS},
            self._engine.connections,
        )

    async def start(self) -> None:
        """Open the database for units of work of the running event loop; again after `stop`, if wanted.

        Raises Unavailable when a SQLite file cannot be opened. PostgreSQL is not asked before the first unit.
        """
        if self._loop is not None:
            return
        loop = asyncio.get_running_loop()
        await asyncio.to_thread(self._engine.start, Answers(loop, self._publish, self._release))
        self._loop = loop

    async def stop(self) -> None:
        """Refuse new units, finish those that were accepted, and close the database."""
        if self._loop is None:
            return
        loop, self._loop = self._loop, None
        if self._jobs:
            self._drained = loop.create_future()
            await self._drained
        await asyncio.to_thread(self._engine.stop)

    async def read(self, query: Callable[Concatenate[Reader, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a query on one consistent view of the database.

        Raises what the query raises; Busy at once when too many units wait; Busy, TimedOut or Unavailable when time may
        mend it.
        """
        result: T = await self._submit("read", query, args, kwargs)
        return result

    async def write(self, verb: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a verb in a transaction and return what it returned after the commit.

        Raises what the verb raises, and then nothing of it is kept; Conflict or Invalid for what the database refuses;
        Busy at once when too many units wait; Busy, TimedOut or Unavailable when time may mend it. The verb can be run
        more than once before it is kept. A caller that is cancelled before the unit has started takes it back; a unit
        that has started is kept.
        """
        result: T = await self._submit("write", verb, args, kwargs)
        return result

    async def ping(self) -> None:
        """Raise Unavailable when the database does not answer a question within two seconds."""
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                await self.read(_ping)
        except TimeoutError as error:
            raise Unavailable("The database does not answer") from error

    def _submit(
        self, kind: Kind, call: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Future[Any]:
        loop = self._loop
        if loop is None:
            raise Unavailable("The database is closed")
        job = Job(kind, self._engine.dialect, call, args, kwargs, loop.create_future())
        if self._counts[kind] >= self._queue_limit:
            refusal = Busy("Too many requests are waiting for the database")
            job.unit.finish(refusal)
            raise refusal
        self._counts[kind] += 1
        self._jobs.add(job)
        if self._watch is None:
            self._watch = loop.call_later(_WATCH_SECONDS, self._look_after)
        self._engine.submit(job)
        return job.future

    def _publish(self, facts: Sequence[Fact]) -> None:
        self._bus.publish(facts)

    def _release(self, job: Job) -> None:
        if job not in self._jobs:
            return
        self._jobs.remove(job)
        self._counts[job.kind] -= 1
        if self._drained is not None and not self._jobs and not self._drained.done():
            self._drained.set_result(None)

    def _look_after(self) -> None:
        """Answer those who have waited for too long, whatever their threads are doing."""
        self._watch = None
        if not self._jobs:
            return
        now = monotonic()
        for job in [job for job in self._jobs if not job.future.done()]:
            if not job.started and now - job.asked > self._queue_timeout:
                job.future.set_exception(Busy("The database has been busy for too long"))
            elif job.started and now - job.started > self._answer_timeout:
                job.future.set_exception(TimedOut("The database does not answer"))
                self._engine.abandon(job)
        self._watch = asyncio.get_running_loop().call_later(_WATCH_SECONDS, self._look_after)


def open_database(  # noqa: PLR0913 -- each is a setting
    url: str,
    *,
    clock: Clock,
    bus: Bus,
    store_facts: StoreFacts | None = None,
    synchronous: Literal["NORMAL", "FULL"] = "NORMAL",
    readers: int = 3,
    pool_size: int = 8,
    queue_limit: int = 1000,
    queue_timeout: float = 10.0,
    statement_timeout: float = 20.0,
    lock_timeout: float = 5.0,
    connect_timeout: float = 3.0,
) -> Database:
    """A database by its URL, not started yet; Invalid when the URL is of no kind that is known.

    SQLite (`sqlite:///relative`, `sqlite:////absolute`, `sqlite://` or `sqlite:///:memory:` for one that lives as long
    as it is open) minds `synchronous` and the number of `readers`; PostgreSQL (`postgresql://user:password@host/name`),
    `pool_size` and `connect_timeout`. Timeouts are in seconds; `statement_timeout` is for a whole unit on SQLite.
    `store_facts` is called at the end of each unit that has emitted facts, inside its transaction. A driver's name in
    the URL is ignored.
    """
    address = parsed(url)
    engine: Engine
    if address.get_backend_name() == "sqlite":
        name = address.database
        sqlite: type[Sqlite] = load("lightwell.storage.sqlite:Sqlite")
        engine = sqlite(
            Path(name) if name and name != ":memory:" else None,
            clock=clock,
            store_facts=store_facts,
            synchronous=synchronous,
            readers=readers,
            statement_timeout=statement_timeout,
            lock_timeout=lock_timeout,
        )
    else:
        postgresql: type[Postgresql] = load("lightwell.storage.postgresql:Postgresql")
        engine = postgresql(
            address,
            clock=clock,
            store_facts=store_facts,
            pool_size=pool_size,
            statement_timeout=statement_timeout,
            lock_timeout=lock_timeout,
            connect_timeout=connect_timeout,
        )
    return Database(
        engine,
        bus,
        queue_limit=queue_limit,
        queue_timeout=queue_timeout,
        answer_timeout=statement_timeout + lock_timeout,
    )


def parsed(url: str) -> URL:
    """The URL with the driver that is used here; Invalid when it is of no kind that is known."""
    try:
        address = make_url(url)
    except ArgumentError:
        address = None
    backend = address.get_backend_name() if address is not None else ""
    if address is None or backend not in ("sqlite", "postgresql", "postgres"):
        raise Invalid("The database URL must begin with sqlite:// or postgresql://")
    return address.set(drivername="sqlite" if backend == "sqlite" else "postgresql+psycopg")


def _ping(reader: Reader) -> None:
    reader.execute(_PING).scalar_one()
