"""What probes and clients ask before anything else."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from starlette.routing import Mount

from lightwell.contract.versions import API_VERSION, SERVER_VERSION
from lightwell.orchestration.explanations.situation import LoopAge
from lightwell.server import create_app
from lightwell.settings import Settings
from tests.api.conftest import client_of


class Stale:
    """Loops of which two have not done their work for too long."""

    def stale(self) -> list[str]:
        """Their names."""
        return ["retention", "late_runs"]

    def ages(self) -> dict[str, LoopAge]:
        """How long ago they did."""
        return {name: LoopAge(timedelta(hours=1), stale=True) for name in self.stale()}


def _api_of(app: FastAPI) -> Any:
    return next(route.app for route in app.routes if isinstance(route, Mount) and route.name == "api")


async def test_a_server_that_works_says_so(api: httpx.AsyncClient) -> None:
    """It lives, is ready, greets, and names its versions as bare JSON."""
    assert (await api.get("/health")).json() is True
    assert (await api.get("/ready")).json() == {"message": "OK"}
    assert (await api.get("/hello")).json() == "👋"
    assert (await api.get("/version")).json() == API_VERSION
    assert (await api.get("/admin/version")).json() == SERVER_VERSION


async def test_settings_are_in_the_words_of_the_contract(api: httpx.AsyncClient) -> None:
    """Where the database is, is a secret."""
    answer = (await api.get("/admin/settings")).json()
    assert answer["server"]["api"]["default_limit"] == 200
    assert answer["server"]["database"]["connection_url"] == "**********"


async def test_a_database_that_is_gone_is_told(tmp_path: Path) -> None:
    """503 until it is back: not ready, and every request that needs it; alive all the while."""
    app = create_app(Settings(home=tmp_path), ignore_cache=True, ephemeral=True)
    async with client_of(app) as client:
        database = app.state.services.database
        await database.stop()
        ready = await client.get("/ready")
        assert (ready.status_code, ready.json()) == (503, {"message": "Database is not available"})
        asked = await client.post("/flows/filter")
        assert (asked.status_code, asked.headers["retry-after"]) == (503, "1")
        assert asked.json() == {"exception_message": "Service Unavailable", "trace_id": asked.headers["x-trace-id"]}
        assert (await client.get("/health")).status_code == 200
        await database.start()
        assert (await client.get("/ready")).status_code == 200
        assert (await client.post("/flows/filter")).status_code == 200


async def test_stale_loops_are_named(tmp_path: Path) -> None:
    """A server whose background work stands still is not ready."""
    app = create_app(Settings(home=tmp_path), ignore_cache=True, ephemeral=True)
    async with client_of(app) as client:
        api = _api_of(app)
        api.state.services = replace(api.state.services, loops=Stale())
        ready = await client.get("/ready")
    assert (ready.status_code, ready.headers["retry-after"]) == (503, "5")
    assert ready.json() == {"message": "Background loops are stale: late_runs, retention"}
