"""A client of the whole server, in this process, on a fresh database of either kind."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from lightwell.server import create_app
from lightwell.settings import ApiSettings, DatabaseSettings, Settings
from lightwell.storage.database import parsed
from lightwell.storage.migrations import chain
from tests.postgres import PostgresServer

Make = Callable[..., Awaitable[dict[str, Any]]]


@asynccontextmanager
async def client_of(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application that is started, and stopped at the end."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://lightwell.test/api") as client,
    ):
        yield client


@asynccontextmanager
async def guarded(home: Path, **api: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server on SQLite with these settings of its API."""
    settings = Settings(home=home, api=ApiSettings(**api))
    async with client_of(create_app(settings, ignore_cache=True, ephemeral=True)) as client:
        yield client


@pytest.fixture(scope="session")
def sqlite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with all tables, empty, to be copied."""
    file: Path = tmp_path_factory.mktemp("template") / "lightwell.sqlite3"
    chain.upgrade(parsed(f"sqlite:///{file}"))
    return file


@pytest.fixture(scope="session")
def postgresql_template(postgres: PostgresServer) -> str:
    """The name of a PostgreSQL database with all tables, empty, to be copied."""
    url = postgres.create_database()
    chain.upgrade(parsed(url))
    name = parsed(url).database
    assert name is not None
    return name


@pytest.fixture(params=["sqlite", "postgresql"])
def api_settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings with an empty database of either kind, in turn."""
    if request.param == "sqlite":
        url = f"sqlite:///{shutil.copy(request.getfixturevalue('sqlite_file'), tmp_path)}"
    else:
        postgres: PostgresServer = request.getfixturevalue("postgres")
        url = postgres.create_database(request.getfixturevalue("postgresql_template"))
    return Settings(home=tmp_path, database=DatabaseSettings(url=url, migrate_on_start=False))


@pytest.fixture
async def api(api_settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the API, on both kinds of database in turn."""
    async with client_of(create_app(api_settings, ignore_cache=True, ephemeral=True)) as client:
        yield client


@pytest.fixture
async def light_api(sqlite_file: Path, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the API, on SQLite alone: for what no database decides."""
    shutil.copy(sqlite_file, tmp_path)
    async with guarded(tmp_path) as client:
        yield client


@pytest.fixture
async def make(api: httpx.AsyncClient) -> Make:
    """Makes objects by POST to a collection, and returns them; `make("/flow_runs/")` makes a flow too."""

    async def made(path: str, **body: Any) -> dict[str, Any]:
        if path == "/flow_runs/" and "flow_id" not in body:
            body["flow_id"] = (await made("/flows/", name="some flow"))["id"]
        answer = await api.post(path, json=body)
        assert answer.status_code in {200, 201}, answer.text
        found: dict[str, Any] = answer.json()
        return found

    return made
