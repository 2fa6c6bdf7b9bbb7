"""The contract's 187 operations as an application without behaviour: its endpoints say which of them was reached."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.requests import HTTPConnection

SOME_ID = "0b0f9a3e-6d0c-4e0e-9d5e-0123456789ab"


class Operation(NamedTuple):
    """A method and the template of a path, with its convertors."""

    method: str
    template: str

    @property
    def path(self) -> str:
        """A path that fits the template."""
        return re.sub(r"{\w+}", "some-name", re.sub(r"{\w+:uuid}", SOME_ID, self.template))

    @property
    def group(self) -> str:
        """The first segment, by which the project divides its routers."""
        return self.template.split("/")[1]


def contract_operations() -> list[Operation]:
    """All of them, in the contract's order."""
    lines = (Path(__file__).parent / "data" / "operations.txt").read_text().splitlines()
    return [Operation(*line.split()) for line in lines]


async def no_dependency() -> None:
    """What is added to every router."""


def contract_app() -> FastAPI:
    """An application with one router per first segment, included as the project does."""
    app = FastAPI(telemetry={"tracing": False, "metrics": False, "logs": False})
    for group, operations in groupby(contract_operations(), key=lambda operation: operation.group):
        known = list(operations)
        if all(operation.template == f"/{group}" for operation in known):
            for operation in known:
                app.add_api_route(operation.template, telling(operation), methods=[operation.method])
            continue
        router = APIRouter(prefix=f"/{group}")
        for operation in known:
            template = operation.template.removeprefix(f"/{group}")
            router.add_api_route(template, telling(operation), methods=[operation.method])
        app.include_router(router, dependencies=[Depends(no_dependency)])
    return app


def telling(operation: Operation) -> Callable[[Request], Awaitable[dict[str, Any]]]:
    """An endpoint that answers with what it was told."""

    async def endpoint(request: Request) -> dict[str, Any]:
        return {"operation": operation, **told(request)}

    return endpoint


def told(connection: HTTPConnection) -> dict[str, Any]:
    """What routing has put into the scope, as far as it can be compared."""
    scope = connection.scope
    notes = scope.get("fastapi", {})
    included = notes.get("included_router")
    context = notes.get("effective_route_context")
    return {
        "route": id(scope.get("route")),
        "endpoint": id(scope.get("endpoint")),
        "params": {name: repr(value) for name, value in scope.get("path_params", {}).items()},
        "router": id(scope.get("router")),
        "root_path": scope.get("root_path"),
        "included": included and id(included.original_router),
        "context": context and [context.path_format, sorted(context.methods), context.unique_id],
    }


class Reply(NamedTuple):
    """What an application answered."""

    status: int
    headers: dict[str, str]
    body: bytes


async def ask(app: FastAPI, method: str, path: str, *, root_path: str = "") -> tuple[Reply, dict[str, Any]]:
    """Send a request to the application itself; gives its answer, and the scope as it was left."""
    scope: dict[str, Any] = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "server": ("testserver", 80),
        "path": path,
        "root_path": root_path,
        "query_string": b"limit=3",
        "headers": [(b"host", b"testserver")],
    }
    messages: list[dict[str, Any]] = []
    body = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> dict[str, Any]:
        message = next(body, None)
        if message is None:
            await asyncio.Event().wait()  # the client stays
        return message or {}

    async def send(message: Any) -> None:
        messages.append(message)

    await app(scope, receive, send)
    headers = {name.decode(): value.decode() for name, value in messages[0]["headers"]}
    return Reply(messages[0]["status"], headers, b"".join(part.get("body", b"") for part in messages[1:])), scope


async def connect(app: FastAPI, path: str) -> list[dict[str, Any]]:
    """Open a websocket and give all that the application sends."""
    scope: dict[str, Any] = {"type": "websocket", "scheme": "ws", "path": path, "query_string": b"", "headers": []}
    messages: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        messages.append(message)

    await app(scope, receive, send)
    return messages


def variants(operation: Operation) -> Iterator[tuple[str, str]]:
    """Method and path of requests that are near the operation, most of them beside it."""
    path = operation.path
    yield operation.method, path
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"} - {operation.method}:
        yield method, path
    yield operation.method, path.removesuffix("/") if path.endswith("/") else f"{path}/"
    yield operation.method, f"{path}//"
    yield operation.method, f"{path}\n"
    yield operation.method, f"/{path}"
    yield operation.method, f"{path}/unknown"
    yield operation.method, path.replace(SOME_ID, "no-uuid")
    yield operation.method, path.replace(SOME_ID, SOME_ID.replace("-", "").upper())
    yield operation.method, path.replace("some-name", "some/name")  # %2F is a slash by the time a path is in the scope
    yield operation.method, path.replace("some-name", "")
    yield operation.method, path.replace("some-name", "näme with%20 \n")
    yield operation.method, path.upper()
    yield operation.method, path.rpartition("/")[0]
