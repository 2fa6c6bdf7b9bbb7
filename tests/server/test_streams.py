"""Live streams where several server processes share one PostgreSQL database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import uuid4

import psycopg
import pytest

from lightwell.contract.logs import LogCreate
from lightwell.events.broadcast import Listener, Overrun
from lightwell.events.bus import Bus
from lightwell.events.facts import Fact, Told
from lightwell.kit.clock import SystemClock
from lightwell.server.streams import Streams
from lightwell.storage import logs
from lightwell.storage.database import Database, open_database, parsed
from lightwell.storage.events import store_facts
from lightwell.storage.migrations import chain
from lightwell.storage.transaction import Transaction
from tests.postgres import PostgresServer


@pytest.fixture
def url(postgres: PostgresServer) -> str:
    """A database with our tables, of its own."""
    address = postgres.create_database()
    chain.upgrade(parsed(address))
    return address


@asynccontextmanager
async def process(url: str) -> AsyncIterator[tuple[Database, Streams]]:
    """What one server process has: a database and streams, fed by the bus."""
    bus = Bus()
    database = open_database(url, clock=SystemClock(), bus=bus, store_facts=store_facts, pool_size=2)
    await database.start()
    streams = Streams(database, parsed(url))
    bus.subscribe(streams.publish_facts)
    await streams.start()
    try:
        yield database, streams
    finally:
        await streams.stop()
        await database.stop()


def state(tx: Transaction, name: str) -> None:
    """Emit a fact."""
    resource = {"prefect.resource.id": f"test.{uuid4()}"}
    tx.emit(Fact(occurred=datetime.now(UTC), event=name, resource=resource))


async def test_a_fact_of_one_process_reaches_listeners_of_another(url: str) -> None:
    """Who is connected to one process hears what another has committed."""
    async with process(url) as (_, near), process(url) as (far_database, _):
        with near.events.listen(lambda _: True) as listener:
            await far_database.write(state, "test.happened")
            assert await heard(listener) == ["test.happened"]


async def test_a_fact_is_heard_once_in_its_own_process(url: str) -> None:
    """A process does not listen to itself."""
    async with process(url) as (database, streams), process(url) as (far_database, _):
        with streams.events.listen(lambda _: True) as listener:
            await database.write(state, "test.near")
            await far_database.write(state, "test.far")
            names = await heard(listener)
            while "test.far" not in names:
                names += await heard(listener)
    assert names == ["test.near", "test.far"]


async def test_a_log_line_of_one_process_reaches_listeners_of_another(url: str) -> None:
    """Log lines are found by their time and id."""
    line = LogCreate(name="n", level=20, message="said", timestamp=datetime.now(UTC))
    async with process(url) as (_, near), process(url) as (far_database, far):
        with near.logs.listen(lambda _: True) as listener:
            far.publish_logs(await far_database.write(logs.insert, [line]))
            async with asyncio.timeout(20):
                assert [told.message for told in await listener.take()] == ["said"]


async def test_a_lost_connection_interrupts_listeners(url: str) -> None:
    """What may have been missed is not passed over in silence: the listener is told to begin again."""
    async with process(url) as (_, streams):
        with streams.events.listen(lambda _: True) as listener:
            async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
                await connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE 'LISTEN%'"
                )
            with pytest.raises(Overrun):
                await heard(listener)


async def heard(listener: Listener[Told]) -> list[str]:
    """The names of what a listener hears next."""
    async with asyncio.timeout(20):
        return [told.event for told in await listener.take()]
