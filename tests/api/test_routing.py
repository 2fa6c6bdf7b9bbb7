"""The index of routes: for every request the same outcome as the framework's own match, at a small cost."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, Request, WebSocket
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from lightwell.api.routing import RouteIndex, install_route_index
from tests.api.operations import (
    Operation,
    Reply,
    ask,
    connect,
    contract_app,
    contract_operations,
    no_dependency,
    telling,
    told,
    variants,
)

OPERATIONS = contract_operations()
UNKNOWN = ("/", "", "/nowhere", "/nowhere/at/all", "/flow_runs/a/b/c/d/e/f", "//", "/flow_runs\n/", "/api/flow_runs/")


@contextmanager
def _indexed(app: FastAPI) -> Iterator[None]:
    before = app.router.middleware_stack
    install_route_index(app)
    try:
        yield
    finally:
        app.router.middleware_stack = before


async def _both(app: FastAPI, method: str, path: str, *, root_path: str = "") -> tuple[Reply, Reply]:
    linear, _ = await ask(app, method, path, root_path=root_path)
    with _indexed(app):
        indexed, _ = await ask(app, method, path, root_path=root_path)
    return linear, indexed


@pytest.fixture(scope="module")
def app() -> FastAPI:
    """The contract's operations without an index."""
    return contract_app()


async def test_every_operation_and_its_neighbours_are_answered_as_by_the_framework(app: FastAPI) -> None:
    """Right and wrong methods, slashes too many and too few, bad ids, encoded slashes: status, headers, body, scope."""
    requests = {request for operation in OPERATIONS for request in variants(operation)}
    requests |= {(method, path) for path in UNKNOWN for method in ("GET", "POST", "DELETE")}
    linear = {request: (await ask(app, *request))[0] for request in requests}
    with _indexed(app):
        different = [
            (request, linear[request], found)
            for request in requests
            if (found := (await ask(app, *request))[0]) != linear[request]
        ]

    assert different == []
    assert len(OPERATIONS) == 187
    assert {reply.status for reply in linear.values()} == {200, 307, 404, 405}


@pytest.mark.parametrize("operation", OPERATIONS, ids=" ".join)
async def test_the_scope_tells_the_full_template(app: FastAPI, operation: Operation) -> None:
    """What telemetry names the request by: the template with everything it is mounted under."""
    outer = FastAPI(telemetry={"tracing": False, "metrics": False, "logs": False})
    outer.mount("/api", app)
    with _indexed(app):
        reply, scope = await ask(outer, operation.method, f"/api{operation.path}")

    assert reply.status == 200
    assert scope["lightwell.route"] == f"/api{operation.template.replace(':uuid', '')}"


async def test_a_wrong_method_has_a_template_and_an_unknown_path_has_none(app: FastAPI) -> None:
    """405 belongs to a route; 404 does not, and a redirect to the route it leads to."""
    with _indexed(app):
        templates = [
            (await ask(app, method, path))[1].get("lightwell.route")
            for method, path in [("DELETE", "/flow_runs/filter"), ("GET", "/nowhere"), ("POST", "/flows")]
        ]

    assert templates == ["/flow_runs/filter", None, "/flows/"]


async def test_under_a_root_path_the_framework_and_the_index_agree(app: FastAPI) -> None:
    """A proxy's prefix is no part of the route, whether the path still carries it or not."""
    for path in ("/proxy/flow_runs/filter", "/flow_runs/filter", "/proxy", "/proxy/flows", "/proxyflows/"):
        linear, indexed = await _both(app, "POST", path, root_path="/proxy")
        assert linear == indexed, path


async def test_dependencies_and_their_overrides_still_apply() -> None:
    """Routes run with what they were included with, and tests may replace it."""
    seen: list[str] = []

    async def original() -> None:
        seen.append("original")

    async def override() -> None:
        seen.append("override")

    app = FastAPI()
    router = APIRouter(prefix="/things")
    router.add_api_route("/{id:int}", telling(Operation("GET", "/things/{id:int}")))
    app.include_router(router, dependencies=[Depends(original)])
    install_route_index(app)

    await ask(app, "GET", "/things/1")
    app.dependency_overrides[original] = override
    await ask(app, "GET", "/things/1")

    assert seen == ["original", "override"]


async def test_routes_that_change_after_a_request_are_found() -> None:
    """Added to the application, to a router that is already included, mounted, and taken away again."""
    app, router = FastAPI(), APIRouter(prefix="/things")
    app.include_router(router)
    install_route_index(app)

    async def statuses() -> list[int]:
        return [(await ask(app, "GET", path))[0].status for path in ("/late", "/things/late", "/mounted/late")]

    assert await statuses() == [404, 404, 404]
    app.add_api_route("/late", telling(Operation("GET", "/late")))
    assert await statuses() == [200, 404, 404]
    router.add_api_route("/late", telling(Operation("GET", "/late")))
    assert await statuses() == [200, 200, 404]
    app.mount("/mounted", PlainTextResponse("here"))
    assert await statuses() == [200, 200, 200]
    app.router.routes[:] = [route for route in app.router.routes if getattr(route, "path", None) != "/late"]
    assert await statuses() == [404, 200, 200]


@pytest.fixture
def mixed(tmp_path: Path) -> FastAPI:
    """Everything a framework's application may hold beside plain operations."""
    (tmp_path / "index.html").write_text("front end")
    app = FastAPI(root_path_in_servers=False)

    async def plain(request: Request) -> PlainTextResponse:
        return PlainTextResponse(repr({name: value for name, value in told(request).items() if name != "context"}))

    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_json(sorted(websocket.path_params))
        await websocket.close()

    inner, outer = APIRouter(prefix="/inner"), APIRouter(prefix="/outer")
    inner.add_api_route("/{x}/y", telling(Operation("GET", "inner")))
    inner.add_api_websocket_route("/socket/{name}", socket)
    outer.include_router(inner, prefix="/deep", dependencies=[Depends(no_dependency)])
    rest = telling(Operation("GET", "rest"))
    outer.add_api_route("/{rest:path}", rest, methods=["GET", "PATCH"], include_in_schema=False)
    legacy = APIRouter(prefix="/legacy")
    legacy.add_route("/plain", plain, methods=["GET"])
    app.include_router(outer)
    app.include_router(legacy, prefix="/old")
    app.router.routes += [Route("/plain/{n:float}", plain), Mount("/mounted", PlainTextResponse("mounted"))]
    app.frontend("/pages", directory=tmp_path)
    return app


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE", "HEAD"])
@pytest.mark.parametrize(
    "path",
    [
        "/outer/deep/inner/1/y",
        "/outer/deep/inner/1/y/",
        "/outer/any/thing/at all/",
        "/outer/",
        "/outer",
        "/old/legacy/plain",
        "/old/legacy/plain/",
        "/plain/1.5",
        "/plain/1.5/",
        "/plain/one",
        "/mounted",
        "/mounted/below",
        "/pages/",
        "/pages/index.html",
        "/pages/missing.js",
        "/docs",
        "/openapi.json",
        "/openapi.json/",
    ],
)
async def test_what_the_index_does_not_know_is_left_to_the_framework(mixed: FastAPI, method: str, path: str) -> None:
    """Mounts, front ends, nested routers, parameters with slashes, routes without FastAPI."""
    linear, indexed = await _both(mixed, method, path)

    assert linear == indexed


async def test_websockets_are_left_to_the_framework(mixed: FastAPI) -> None:
    """They connect once and stay: their match need not be quick."""
    install_route_index(mixed)

    messages = await connect(mixed, "/outer/deep/inner/socket/one")

    assert [message["type"] for message in messages] == ["websocket.accept", "websocket.send", "websocket.close"]
    assert messages[1]["text"] == '["name"]'


SEGMENTS = st.sampled_from(["a", "b", "{x}", "{x:int}", "{x:path}", "a-{x}", ""])
ROUTES = st.lists(st.tuples(st.sampled_from(["GET", "POST"]), st.lists(SEGMENTS, max_size=3)), max_size=8)
PATHS = st.lists(st.sampled_from(["a", "b", "7", "a-b", "", "\n"]), max_size=4)


@settings(max_examples=60, deadline=None)
@given(routes=ROUTES, paths=st.lists(PATHS, min_size=1, max_size=6))
async def test_any_routes_in_any_order_are_matched_as_by_the_framework(
    routes: list[tuple[str, list[str]]], paths: list[list[str]]
) -> None:
    """Literals before and after parameters, parameters with slashes before both: the first in order wins."""
    app = FastAPI(openapi_url=None)
    for method, segments in routes:
        numbered = [segment.replace("x", f"x{place}") for place, segment in enumerate(segments)]
        template = "/" + "/".join(numbered)
        app.add_api_route(template, telling(Operation(method, template)), methods=[method])
    for path in ["/" + "/".join(segments) for segments in paths]:
        for method in ("GET", "POST", "PUT"):
            linear, indexed = await _both(app, method, path)
            assert linear == indexed, (method, path)


def test_an_application_takes_one_index() -> None:
    """A second one, or one around middleware, would hide what is there."""
    app = FastAPI()
    install_route_index(app)

    with pytest.raises(ValueError, match="already"):
        install_route_index(app)


def test_finding_a_route_costs_at_most_60_microseconds_of_cpu(app: FastAPI) -> None:
    """For every operation and for an unknown path, checks for changed routes included: the best of five, many times."""
    index = RouteIndex(app.router)
    slow = {
        (method, path): cost
        for method, path in [*((operation.method, operation.path) for operation in OPERATIONS), ("GET", "/nowhere/x")]
        if (cost := _cost(index, method, path)) > 60e-6
    }

    assert slow == {}


def _cost(index: RouteIndex, method: str, path: str) -> float:
    """Seconds of CPU from the request's arrival at the index to its route."""
    times = 50
    best = float("inf")
    for _ in range(5):
        scopes: list[dict[str, Any]] = [{"type": "http", "method": method, "path": path} for _ in range(times)]
        began = time.thread_time()
        for scope in scopes:
            index.select(scope)
        best = min(best, (time.thread_time() - began) / times)
    return best
