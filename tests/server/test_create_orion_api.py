"""`create_orion_api`: the API alone, with what a caller adds, leaves out or puts in place of something."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException

from lightwell.api import ROUTERS
from lightwell.contract.versions import API_VERSION, SERVER_VERSION
from lightwell.server import create_orion_api
from lightwell.settings import ApiSettings, Settings, use_settings


def _client(app: FastAPI, **options: Any) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://lightwell.test", **options)


async def needs_a_word(word: str = Header(default="")) -> None:
    """Refuses a request without the word."""
    if word != "please":
        raise HTTPException(418)


async def test_paths_of_probes_and_routers_can_be_chosen() -> None:
    """Health and version where the caller wants them, all routers under a prefix."""
    app = create_orion_api("/v1", health_check_path="/alive", version_check_path="/which")

    async with _client(app) as client:
        assert (await client.get("/alive")).json() is True
        assert (await client.get("/which")).json() == API_VERSION
        assert (await client.get("/v1/admin/version")).json() == SERVER_VERSION
        for path in ("/health", "/version", "/admin/version"):
            assert (await client.get(path)).status_code == 404


async def test_dependencies_are_added_to_every_router() -> None:
    """They are asked beside the check of the version, and the caller's list stays as it was."""
    dependencies = [Depends(needs_a_word)]
    app = create_orion_api(dependencies=dependencies)

    assert dependencies == [Depends(needs_a_word)]
    async with _client(app) as client:
        for path in ("/hello", "/admin/version", "/flows/0b0f9a3e-6d0c-4e0e-9d5e-0123456789ab"):
            assert (await client.get(path)).status_code == 418
        assert (await client.get("/hello", headers={"word": "please"})).status_code == 200
        old = {"word": "please", "X-PREFECT-API-VERSION": "0.0.1"}
        assert (await client.get("/hello", headers=old)).status_code == 400
        assert (await client.get("/health")).status_code == 200


async def test_the_same_routers_serve_many_applications() -> None:
    """What one application adds is not in the next."""
    create_orion_api(dependencies=[Depends(needs_a_word)])

    async with _client(create_orion_api()) as client:
        assert (await client.get("/hello")).status_code == 200


async def test_the_framework_can_be_told_more() -> None:
    """Keyword arguments of the application win over ours, and are not changed."""
    chosen = {"title": "Mine", "openapi_url": "/mine.json"}
    app = create_orion_api(fast_api_app_kwargs=chosen)

    assert chosen == {"title": "Mine", "openapi_url": "/mine.json"}
    async with _client(app) as client:
        assert (await client.get("/mine.json")).json()["info"]["title"] == "Mine"
        assert (await client.get("/openapi.json")).status_code == 404


async def test_a_router_can_be_left_out() -> None:
    """Its paths are gone, the others stay; so they are from the document."""
    app = create_orion_api(router_overrides={"/admin": None})

    async with _client(app) as client:
        assert (await client.get("/admin/version")).status_code == 404
        assert (await client.get("/hello")).status_code == 200
    assert not any(path.startswith("/admin") for path in app.openapi()["paths"])


async def test_a_router_can_be_replaced() -> None:
    """By one that has at least the operations of the original."""
    router = APIRouter(prefix="/admin")

    @router.get("/version")
    async def version() -> str:
        return "mine"

    @router.get("/settings")
    @router.get("/more")
    async def more() -> int:
        return 1

    async with _client(create_orion_api(router_overrides={"/admin": router})) as client:
        assert (await client.get("/admin/version")).json() == "mine"
        assert (await client.get("/admin/more")).json() == 1
    assert ROUTERS["/admin"] is not router


def test_an_unknown_prefix_is_named() -> None:
    """KeyError, also for None."""
    for replacement in (None, APIRouter(prefix="/nowhere")):
        with pytest.raises(KeyError, match="/nowhere"):
            create_orion_api(router_overrides={"/nowhere": replacement})


def test_a_router_of_another_prefix_is_refused() -> None:
    """ValueError names both."""
    with pytest.raises(ValueError, match=r"'/admin'.*'/administration'"):
        create_orion_api(router_overrides={"/admin": APIRouter(prefix="/administration")})


def test_what_a_replacement_lacks_is_named() -> None:
    """ValueError names each method and path; a path of another method does not count."""
    router = APIRouter(prefix="/admin")

    @router.post("/version")
    async def version() -> str:
        return "mine"

    with pytest.raises(ValueError, match=r"GET /admin/settings, GET /admin/version"):
        create_orion_api(router_overrides={"/admin": router})


def test_websockets_cannot_be_lost() -> None:
    """A replacement of the events has their websockets too."""
    with pytest.raises(ValueError, match="WEBSOCKET /events/in, WEBSOCKET /events/out"):
        create_orion_api(router_overrides={"/events": APIRouter(prefix="/events")})


async def test_the_settings_in_force_guard_it(tmp_path: Path) -> None:
    """Credentials are asked for everywhere but at the probes, wherever they are."""
    with use_settings(Settings(home=tmp_path, api=ApiSettings.model_validate({"auth_string": "a:b"}))):
        app = create_orion_api(health_check_path="/alive")

    async with _client(app) as client:
        assert (await client.get("/alive")).status_code == 200
        assert (await client.get("/hello")).status_code == 401
        assert (await client.get("/alive/more")).status_code == 401
        assert (await client.get("/hello", auth=("a", "b"))).status_code == 200


async def test_it_can_be_served_by_itself(tmp_path: Path) -> None:
    """Without anything around it, it opens its database, answers, and tells each request's trace."""
    with use_settings(Settings(home=tmp_path)):
        app = create_orion_api()
    async with app.router.lifespan_context(app), _client(app) as client:
        made = await client.post("/flows/", json={"name": "alone"})
        assert made.status_code == 201
        assert len(made.headers.get_list("x-trace-id")) == 1
        assert (await client.get(f"/flows/{made.json()['id']}")).json() == made.json()
