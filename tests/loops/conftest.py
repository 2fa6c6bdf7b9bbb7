"""A database with all tables, that stores facts and whose clock is moved by hand."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lightwell.events.bus import Bus
from lightwell.kit.clock import Clock
from lightwell.storage.database import Database, open_database, parsed
from lightwell.storage.events import store_facts
from lightwell.storage.migrations import chain
from tests.postgres import PostgresServer
from tests.timed import MovingClock


@pytest.fixture(scope="session")
def _empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("loops") / "empty.db"
    chain.upgrade(parsed(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def _empty_postgres(postgres: PostgresServer) -> str:
    url = postgres.create_database()
    chain.upgrade(parsed(url))
    name = parsed(url).database
    assert name is not None
    return name


@pytest.fixture
def sqlite_url(_empty_file: Path, tmp_path: Path) -> str:
    """The URL of a SQLite database with all tables."""
    path = shutil.copy(_empty_file, tmp_path / "lightwell.db")
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_url(postgres: PostgresServer, _empty_postgres: str) -> str:
    """The URL of a PostgreSQL database with all tables."""
    return postgres.create_database(_empty_postgres)


@pytest.fixture(params=["sqlite_url", "postgres_url"])
def store_url(request: pytest.FixtureRequest) -> str:
    """The URL of a database with all tables, of either kind in turn."""
    url: str = request.getfixturevalue(request.param)
    return url


def opened(url: str, clock: Clock, bus: Bus | None = None) -> Database:
    """A database that stores facts, not started."""
    return open_database(url, clock=clock, bus=bus or Bus(), store_facts=store_facts)


@pytest.fixture
async def store(store_url: str, clock: MovingClock, bus: Bus) -> AsyncIterator[Database]:
    """A started database with all tables."""
    database = opened(store_url, clock, bus)
    await database.start()
    yield database
    await database.stop()
