"""Fixtures for all tests: a real database of either kind, empty and fresh for each test."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from lightwell.events.bus import Bus
from lightwell.kit.clock import SystemClock
from lightwell.storage.database import Database, open_database
from tests.postgres import PostgresServer
from tests.timed import MovingClock, timed_store


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server that runs as long as the test session (of each process of pytest-xdist)."""
    with PostgresServer() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, of SQLite and of PostgreSQL in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'lightwell.db'}"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.create_database()


@pytest.fixture
def bus() -> Bus:
    """The bus that the `database` publishes on."""
    return Bus()


@pytest.fixture
async def database(database_url: str, bus: Bus) -> AsyncIterator[Database]:
    """A started database, empty."""
    opened = open_database(database_url, clock=SystemClock(), bus=bus)
    await opened.start()
    yield opened
    await opened.stop()


@pytest.fixture
def clock() -> MovingClock:
    """The time of the database."""
    return MovingClock()


@pytest.fixture
async def store(database_url: str, clock: MovingClock, bus: Bus) -> AsyncIterator[Database]:
    """A database whose time the test moves."""
    async with timed_store(database_url, clock, bus) as opened:
        yield opened
