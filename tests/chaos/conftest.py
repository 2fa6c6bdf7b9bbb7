"""Fixtures for trouble: a server on a SQLite file that several tests trouble in turn."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from tests.chaos.halves import halves
from tests.chaos.load import accepted, client_of
from tests.chaos.troubled import LOCK_TIMEOUT_SECONDS, Troubled, errors_of
from tests.serving import lightwell_server


@pytest.fixture(scope="session")
def _sqlite_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Troubled]:
    home = tmp_path_factory.mktemp("troubled")
    path = home / "lightwell.sqlite3"
    settings = {"LIGHTWELL_DATABASE_LOCK_TIMEOUT": f"{LOCK_TIMEOUT_SECONDS}s"}
    with lightwell_server(home, settings) as serving:
        yield Troubled(serving, path)


@pytest.fixture
def server(_sqlite_server: Troubled) -> Iterator[Troubled]:
    """A server on SQLite; after the test it has told of nothing unforeseen, and keeps nothing by halves."""
    yield _sqlite_server
    assert errors_of(_sqlite_server.serving) == []
    assert halves(f"sqlite:///{_sqlite_server.path}") == {}


@pytest.fixture
async def client(server: Troubled) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the server."""
    async with client_of(server.api_url) as made:
        yield made


@pytest.fixture
async def flow_id(client: httpx.AsyncClient, request: pytest.FixtureRequest) -> str:
    """A flow of the test's own."""
    made: str = (await accepted(client, "/flows/", {"name": request.node.name}))["id"]
    return made
