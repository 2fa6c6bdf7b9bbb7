"""What has happened by the time that the server says it has started, and what stops it before."""

from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from lightwell.api import routing
from lightwell.errors import Invalid
from lightwell.server import create_app
from lightwell.settings import DatabaseSettings, Settings, UiSettings
from lightwell.storage.database import parsed
from lightwell.storage.migrations import chain


def application(home: Path, *, migrate: bool) -> FastAPI:
    """A server on a SQLite file of its own."""
    database = DatabaseSettings(migrate_on_start=migrate)
    return create_app(Settings(home=home, database=database), ignore_cache=True)


async def test_a_schema_that_is_behind_stops_the_start(tmp_path: Path) -> None:
    """Where the server may not migrate it says what must be done first."""
    app = application(tmp_path, migrate=False)

    with pytest.raises(Invalid, match="lightwell database upgrade"):
        async with app.router.lifespan_context(app):
            pass


async def test_a_schema_that_is_up_to_date_is_enough(tmp_path: Path) -> None:
    """A server that may not migrate starts after somebody else did."""
    chain.upgrade(parsed(f"sqlite:///{tmp_path / 'lightwell.sqlite3'}"))
    app = application(tmp_path, migrate=False)

    async with app.router.lifespan_context(app), client(app) as caller:
        assert (await caller.get("/api/ready")).status_code == 200


async def test_routes_are_read_before_the_first_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first client waits for nothing that could have been done at the start."""
    app = application(tmp_path, migrate=True)

    async with app.router.lifespan_context(app), client(app) as caller:
        monkeypatch.delattr(routing, "RouteTree")
        assert (await caller.get("/api/health")).json() is True


async def test_built_pages_are_served_by_any_address(tmp_path: Path) -> None:
    """The index answers for each path of its router, and an unknown file is none."""
    (tmp_path / "index.html").write_text("<p>built</p>")
    ui = UiSettings(directory=tmp_path)
    app = create_app(Settings(home=tmp_path, ui=ui), ignore_cache=True)

    async with client(app) as caller:
        answers = [await caller.get(path) for path in ("/", "/runs", "/runs/", "/missing.js")]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 404]
    assert {answer.text for answer in answers[:3]} == {"<p>built</p>"}


def client(app: FastAPI) -> httpx.AsyncClient:
    """A client of the application, in this process."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://server")
