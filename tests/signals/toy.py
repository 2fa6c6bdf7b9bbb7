"""A small application with one endpoint for each case of the matrix, built as the real one is: mounts, and a child."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, FastAPI, Path, WebSocket
from fastapi.telemetry import TelemetryConfig
from pydantic import BaseModel, ConfigDict
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from lightwell.api import problems
from lightwell.errors import Busy, Conflict, Forbidden, Invalid, Locked, NotFound, Unauthenticated, Unavailable
from lightwell.instrumentation.annotations import annotate
from lightwell.instrumentation.decisions import observe_verdict
from lightwell.instrumentation.http import instrument
from lightwell.instrumentation.operation import operation
from lightwell.instrumentation.roots import Tracing
from lightwell.instrumentation.sockets import batch
from lightwell.instrumentation.traceparent import link_run
from lightwell.instrumentation.units import Unit

TELEMETRY_OFF: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}

router = APIRouter(prefix="/things")


class State(BaseModel):
    """A nested model."""

    type: str


class Thing(BaseModel):
    """A body."""

    model_config = ConfigDict(extra="forbid")

    size: int
    state: State | None = None
    labels: dict[str, int] | None = None


@operation
def set_state(_tx: Any, error: Exception | None = None) -> None:
    """A verb that decides."""
    observe_verdict("wait_for_scheduled_time", "ACCEPT")
    observe_verdict("prevent_duplicates", "REJECT", "it was made before")
    annotate(flow_run_id="run-1")
    if error is not None:
        raise error


def work(unit: Unit, error: Exception | None = None) -> None:
    """One unit as the database makes it."""
    unit.begin()
    unit.statement("SELECT id FROM thing WHERE id = ?", 1, 2)
    try:
        set_state(None, error)
    except Exception as raised:
        unit.finish(raised)
        raise
    unit.statement("UPDATE thing SET name = ?", 3, 4)
    unit.finish(None, group=3)


@router.post("/")
async def create(thing: Thing) -> Thing:
    """Echoes its body."""
    return thing


@router.get("/{thing_id}")
async def read(thing_id: UUID) -> dict[str, str]:
    """Reads."""
    annotate(thing_id=thing_id, nothing=None)
    return {"id": str(thing_id)}


@router.post("/{thing_id}/set_state")
async def change(thing_id: Annotated[UUID, Path()]) -> bool:
    """Writes in a database thread."""
    annotate(thing_id=thing_id)
    await asyncio.to_thread(work, Unit("write", "things.set_state", "sqlite"))
    return True


@router.get("/fail/unit")
async def fail_in_unit() -> None:
    """Fails in a database thread."""
    await asyncio.to_thread(work, Unit("write", "things.set_state", "sqlite"), ValueError("the disk is on fire"))


@router.get("/fail/{kind}")
async def fail(kind: str) -> None:
    """Fails as it is told to."""
    if kind == "conflict":
        raise Conflict("It is there already.", constraint="uq_thing_name") from KeyError("driver")
    raise {
        "missing": NotFound("thing", "Thing 1 not found"),
        "invalid": Invalid("That makes no sense."),
        "locked": Locked("It is full.", retry_after=2.5),
        "forbidden": Forbidden("No."),
        "unauthenticated": Unauthenticated("Who?"),
        "busy": Busy("Too much is waiting.", retry_after=1.2),
        "away": Unavailable("The database is away."),
        "gone": problems.refused(410, "It is gone."),
        "unforeseen": RuntimeError("something with /etc/secret in it"),
    }[kind]


@router.get("/stream/{ends}")
async def stream(ends: bool) -> StreamingResponse:  # noqa: FBT001 -- a path parameter
    """Streams, and breaks unless it ends."""

    async def chunks() -> AsyncIterator[bytes]:
        yield b"first"
        await asyncio.sleep(0)
        if not ends:
            raise RuntimeError("the stream broke")
        yield b"last"

    return StreamingResponse(chunks())


@router.get("/endless/stream")
async def endless() -> StreamingResponse:
    """Streams until the client leaves."""

    async def chunks() -> AsyncIterator[bytes]:
        while True:
            yield b"more"
            await asyncio.sleep(0)

    return StreamingResponse(chunks())


@router.post("/read/body")
async def read_body(request: Request) -> int:
    """Reads its body by itself."""
    return len(await request.body())


@router.get("/background/{fails}")
async def background(fails: bool) -> Response:  # noqa: FBT001 -- a path parameter
    """Goes on after its answer."""

    async def later() -> None:
        if fails:
            raise RuntimeError("the work after the answer failed")

    return JSONResponse({"ok": True}, background=BackgroundTask(later))


@router.get("/linked/run")
async def linked() -> bool:
    """Is about a run that has a trace of its own."""
    link_run({"__OTEL_TRACEPARENT": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03"})
    return True


@router.websocket("/talk")
async def talk(websocket: WebSocket) -> None:
    """Shakes hands, works on batches, and closes when it is told to."""
    protocol = "prefect" if "prefect" in websocket.scope["subprotocols"] else None
    await websocket.accept(subprotocol=protocol)
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            return
        text = message["text"]
        if text == "auth":
            await websocket.send_text("auth_success")
        elif text == "bad token":
            await websocket.close(1008, "Invalid token")
            return
        elif text == "crash":
            raise RuntimeError("the socket crashed")
        else:
            with batch(websocket.scope, 2):
                await asyncio.to_thread(work, Unit("write", "things.set_state", "sqlite"))
            await websocket.send_text("done")


def make_app(tracing: Tracing) -> FastAPI:
    """The application, observed."""
    child = FastAPI(telemetry=TELEMETRY_OFF)
    child.include_router(router)
    problems.install(child)
    parent = FastAPI(openapi_url=None, telemetry=TELEMETRY_OFF)
    parent.mount("/api", child)
    instrument(parent, tracing)
    return parent
