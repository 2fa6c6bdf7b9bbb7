"""What is particular to PostgreSQL: transactions in each other's way, and a server that goes away."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Barrier
from time import monotonic

import psycopg
import pytest
from sqlalchemy import func, insert, select, text

from lightwell.errors import Busy, Conflict, Defect, Invalid, TimedOut, Unavailable
from lightwell.events.bus import Bus
from lightwell.events.facts import Fact
from lightwell.kit.clock import SystemClock
from lightwell.storage.database import Database, open_database
from lightwell.storage.transaction import Transaction
from tests.postgres import PostgresServer
from tests.storage import notes


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """A server of the test's own, which it may kill."""
    with PostgresServer() as made:
        yield made


@pytest.fixture
def url(postgres: PostgresServer) -> str:
    """An empty database of the shared server."""
    return postgres.create_database()


@pytest.fixture
async def notebook(url: str, bus: Bus) -> AsyncIterator[Database]:
    """A started database with the table of notes, with short limits."""
    database = opened(url, bus=bus)
    await database.start()
    await database.write(notes.create)
    yield database
    await database.stop()


def opened(url: str, *, bus: Bus | None = None, statement_timeout: float = 0.5, pool_size: int = 4) -> Database:
    """A database with short limits, not started."""
    return open_database(
        url,
        clock=SystemClock(),
        bus=bus or Bus(),
        pool_size=pool_size,
        statement_timeout=statement_timeout,
        lock_timeout=3.0,
        connect_timeout=2.0,
    )


async def test_units_that_lock_each_other_out_are_run_again(url: str, bus: Bus) -> None:
    """A deadlock is mended by running one of them once more, with a fresh transaction and no fact told twice."""
    heard: list[Fact] = []
    bus.subscribe(heard.extend)
    database = opened(url, bus=bus, statement_timeout=20)
    await database.start()
    await database.write(notes.create)
    await database.write(notes.add, 1)
    await database.write(notes.add, 2)
    meeting = Barrier(2)
    runs: list[str] = []

    def rename_both(tx: Transaction, first: int, second: int, name: str) -> None:
        runs.append(name)
        tx.emit(notes.fact(first))
        notes.rename(tx, first, name)
        if runs.count(name) == 1:
            meeting.wait(10)
        notes.rename(tx, second, name)

    await asyncio.gather(database.write(rename_both, 1, 2, "a"), database.write(rename_both, 2, 1, "b"))
    assert len(runs) == 3
    assert len(heard) == 2
    assert await database.read(notes.text_of, 1) == await database.read(notes.text_of, 2)
    await database.stop()


async def test_units_that_cannot_be_put_in_an_order_are_run_again(notebook: Database) -> None:
    """Serialization failures of a stricter isolation level, also those that only the commit finds."""
    runs: list[int] = []

    def add_one_more(tx: Transaction, meeting: Callable[[], object]) -> None:
        tx.execute(text("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"))
        runs.append(1)
        number = tx.execute(select(func.count()).select_from(notes.NOTES)).scalar_one()
        if len(runs) <= 2:
            meeting()
        tx.execute(insert(notes.NOTES), {"id": 100 * number + len(runs), "text": "", "size": number})

    meeting = Barrier(2)
    await asyncio.gather(*(notebook.write(add_one_more, lambda: meeting.wait(10)) for _ in range(2)))
    assert len(runs) == 3
    sizes = await notebook.read(lambda reader: sorted(reader.execute(select(notes.NOTES.c.size)).scalars()))
    assert sizes == [0, 1]


async def test_a_unit_that_is_always_in_the_way_is_busy_in_the_end(notebook: Database) -> None:
    """The number of attempts is bounded."""
    runs: list[int] = []

    def never(tx: Transaction) -> None:
        runs.append(1)
        tx.execute(text("DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '40001'; END $$"))

    with pytest.raises(Busy):
        await notebook.write(never)
    assert 2 < len(runs) < 20
    assert await notebook.write(notes.add, 1) == 1


async def test_a_long_statement_times_out_and_the_next_works(notebook: Database) -> None:
    """The server breaks it off, in a read and in a write."""
    for run in (notebook.read, notebook.write):
        with pytest.raises(TimedOut):
            await run(lambda reader: reader.execute(text("SELECT pg_sleep(30)")))
    assert await notebook.read(notes.count) == 0


async def test_a_commit_after_a_swallowed_error_is_a_defect(notebook: Database) -> None:
    """PostgreSQL would answer the COMMIT with a rollback, and the caller would be told that it is kept."""

    def swallow(tx: Transaction) -> None:
        notes.add(tx, 1)
        with suppress(Conflict):
            notes.add(tx, 1)

    with pytest.raises(Defect):
        await notebook.write(swallow)
    assert await notebook.read(notes.count) == 0


async def test_what_only_postgresql_refuses_is_invalid(notebook: Database) -> None:
    """A NUL in a text, and a number that is too large for its column's type."""
    with pytest.raises(Invalid):
        await notebook.write(notes.add, 1, text="a\0b")
    with pytest.raises(Invalid):
        await notebook.write(lambda tx: tx.execute(text("SELECT 9999999999::int")))
    assert await notebook.write(notes.add, 1) == 1


async def test_a_connection_that_was_lost_is_replaced_unseen(notebook: Database, url: str) -> None:
    """Sessions that an administrator ended between or during units: each unit runs again on a new connection."""
    await asyncio.gather(*(notebook.write(notes.add, n) for n in range(8)))
    end_all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'lightwell'"
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(end_all)
        assert await notebook.write(notes.add, 100) == 100
        runs: list[int] = []

        def be_ended(tx: Transaction) -> None:
            runs.append(1)
            notes.add(tx, 101)
            if len(runs) == 1:
                admin.execute(end_all)
            notes.add(tx, 102)

        await notebook.write(be_ended)
    assert len(runs) == 2
    assert await notebook.read(notes.numbers) == [*range(8), 100, 101, 102]


async def test_a_server_that_dies_makes_units_unavailable_at_once_and_works_again_when_it_is_back(
    server: PostgresServer,
) -> None:
    """No restart of ours, no long wait, and everything that was answered is there."""
    database = opened(server.create_database())
    await database.start()
    await database.write(notes.create)
    kept = set(await asyncio.gather(*(database.write(notes.add, n) for n in range(20))))
    server.stop()
    started = monotonic()
    answers = await asyncio.gather(*(database.write(notes.add, n) for n in range(100, 200)), return_exceptions=True)
    assert {type(answer) for answer in answers} == {Unavailable}
    with pytest.raises(Unavailable):
        await database.ping()
    assert monotonic() - started < 3
    server.start()
    async with asyncio.timeout(10):
        while True:
            try:
                await database.ping()
            except Unavailable:
                await asyncio.sleep(0.02)
            else:
                break
    assert set(await database.read(notes.numbers)) == kept
    assert await database.write(notes.add, 500) == 500
    await database.stop()


async def test_a_server_that_is_frozen_keeps_nobody_waiting_for_ever(server: PostgresServer) -> None:
    """Neither those whose statement it does not answer, nor those behind them; `stop` ends, too."""
    database = open_database(
        server.create_database(),
        clock=SystemClock(),
        bus=Bus(),
        pool_size=2,
        statement_timeout=0.5,
        lock_timeout=0.5,
        queue_timeout=1.0,
        connect_timeout=2.0,
    )
    await database.start()
    await database.write(notes.create)
    await asyncio.gather(*(database.write(notes.add, n) for n in range(10)))
    children = processes_of(server)
    for child in children:
        os.kill(child, signal.SIGSTOP)
    try:
        started = monotonic()
        answers = await asyncio.gather(*(database.write(notes.add, n) for n in range(20, 40)), return_exceptions=True)
        assert all(isinstance(answer, Unavailable) for answer in answers), answers
        assert monotonic() - started < 8
    finally:
        for child in reversed(children):
            os.kill(child, signal.SIGCONT)
    async with asyncio.timeout(15):
        while True:
            try:
                await database.write(notes.add, 500)
            except Unavailable:
                await asyncio.sleep(0.05)
            else:
                break
    await database.stop()


def processes_of(server: PostgresServer) -> list[int]:
    """The processes of a server: its first one and the sessions."""
    process = server.process_id
    children = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii")
    return [process, *map(int, children.split())]


async def test_no_message_tells_where_the_server_is_or_who_asks() -> None:
    """A URL holds a password, and messages are for callers."""
    database = opened("postgresql://somebody:SECRET@127.0.0.1:1/SECRET")
    await database.start()
    with pytest.raises(Unavailable) as refused:
        await database.read(notes.count)
    assert "SECRET" not in str(refused.value)
    assert "SECRET" not in str(refused.value.__cause__)
    assert "127.0.0.1" not in str(refused.value)
    await database.stop()
