"""No secret that reaches the real server leaves it in a span, a metric or a log line, whatever breaks.

What a caller may see again in telemetry, by design: ids; names and types of states; templates of routes, and words of
small letters in a path that leads nowhere; the `User-Agent`; trace contexts, `tracestate` included; places and types
of what is wrong in a body, by the names that the contract declares; messages of our own exceptions, which quote no
values. Everything else is a canary here: if it is found, it has leaked.
"""

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, NoReturn
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
import pytest_asyncio
import sqlalchemy
import websockets

from lightwell.storage import flow_runs
from lightwell.storage.database import parsed
from tests.postgres import PostgresServer
from tests.serving import lightwell_server
from tests.signals.collector import collecting
from tests.signals.conftest import Signals, talk
from tests.signals.stage import Stage, staged

pytestmark = pytest.mark.asyncio(loop_scope="module")

CANARY = "Canary5e1f"
PASSWORD = f"admin:{CANARY}"
NOBODY = "01890a5d-ac96-774b-bcce-b302099a8057"
NOW = "2026-01-01T00:00:00Z"
BAG = {CANARY: [CANARY, {CANARY: CANARY}]}
HEADERS = {
    "cookie": f"session={CANARY}",
    "prefect-csrf-client": CANARY,
    "prefect-automation-name": CANARY,
    "x-forwarded-for": CANARY,
    "referer": f"http://{CANARY}",
    "baggage": f"secret={CANARY}",
    "x-api-key": CANARY,
}


def _state(kind: str, **members: Any) -> dict[str, Any]:
    details = {"pause_key": CANARY, "untrackable_result": False, "cache_key": CANARY}
    return {"type": kind, "name": kind.title(), "message": CANARY, "data": BAG, "state_details": details} | members


def _run(flow: str) -> dict[str, Any]:
    return {
        "flow_id": flow,
        "name": CANARY,
        "parameters": BAG,
        "context": BAG,
        "labels": {CANARY: CANARY},
        "tags": [CANARY],
        "job_variables": BAG,
        "idempotency_key": f"{CANARY}-{uuid4()}",
        "empirical_policy": {"retries": 1, "pause_keys": [CANARY]},
        "state": _state("SCHEDULED"),
    }


def _event() -> dict[str, Any]:
    resource = {"prefect.resource.id": CANARY, CANARY: CANARY}
    related = [resource | {"prefect.resource.role": CANARY}]
    event = {"id": str(uuid4()), "occurred": NOW, "event": CANARY, "resource": resource}
    return event | {"related": related, "payload": BAG}


def _requests(flow: str, run: str) -> list[tuple[str, str, Any]]:
    """What is accepted, what is refused, and what leads nowhere; each with canaries wherever something can be put."""
    log = {"name": CANARY, "level": 20, "message": CANARY, "timestamp": NOW, "flow_run_id": run}
    text = {"any_": [CANARY]}
    criteria = {
        "flows": {"name": text},
        "flow_runs": {"name": text | {"like_": CANARY}, "tags": {"all_": [CANARY]}, "idempotency_key": text},
    }
    here = f"/flow_runs/{run}"
    invalid: list[Any] = [CANARY, [CANARY], {CANARY: CANARY}, {"flow_id": CANARY, "state": {"type": CANARY}}]
    return [
        ("POST", "/flow_runs/", _run(flow)),
        ("POST", "/flow_runs/", _run(NOBODY)),
        ("PATCH", here, {"name": CANARY, "tags": [CANARY], "infrastructure_pid": CANARY, "job_variables": BAG}),
        ("POST", f"{here}/set_state", {"state": _state("PENDING")}),
        ("POST", f"{here}/set_state", {"state": _state("RUNNING")}),
        ("POST", f"{here}/set_state", {"state": _state("PAUSED")}),
        ("POST", f"{here}/resume", {"run_input": BAG}),
        ("POST", f"{here}/input", {"key": CANARY, "value": CANARY, "sender": CANARY}),
        ("POST", f"{here}/input", {"key": CANARY, "value": CANARY}),
        ("POST", f"{here}/input/filter", {"prefix": CANARY}),
        ("GET", f"{here}/input/{CANARY}", None),
        ("DELETE", f"{here}/input/{CANARY}-none", None),
        ("PATCH", f"{here}/labels", {CANARY: CANARY, "__OTEL_TRACEPARENT": CANARY}),
        ("GET", f"{here}/logs/download", None),
        ("POST", "/logs/", [log]),
        ("POST", "/logs/filter", {"logs": {"text": {"query": CANARY}}}),
        ("POST", "/events", [_event()]),
        ("POST", "/events/filter", {"filter": {"event": {"name": [CANARY]}, "resource": {"id": [CANARY]}}}),
        ("GET", f"/events/filter/next?page-token={CANARY}", None),
        ("POST", "/task_runs/", {"flow_run_id": run, "task_key": CANARY, "dynamic_key": CANARY, "tags": [CANARY]}),
        ("POST", "/concurrency_limits/", {"tag": CANARY, "concurrency_limit": 1}),
        ("GET", f"/concurrency_limits/tag/{CANARY}", None),
        ("POST", "/v2/concurrency_limits/", {"name": CANARY, "limit": 1}),
        ("POST", "/v2/concurrency_limits/increment", {"names": [CANARY], "slots": 5}),
        *[("POST", f"/flow_runs/{path}", criteria) for path in ("filter", "count", "paginate", "lateness")],
        *[("POST", path, body) for path in ("/flow_runs/", "/logs/", "/events", "/flows/") for body in invalid],
        ("GET", f"/flows/name/{CANARY}", None),
        ("GET", f"/flow_runs/{CANARY}", None),
        ("GET", f"/{CANARY}/{CANARY}?{CANARY}={CANARY}", None),
        ("PUT", f"/flows/?{CANARY}={CANARY}", None),
        ("GET", f"/csrf-token?client={CANARY}", None),
    ]


async def _spread(client: httpx.AsyncClient) -> list[int]:
    """Send all of it, with credentials and without; the statuses that came back."""
    token = (await client.get("/csrf-token", params={"client": CANARY})).json()["token"]
    client.headers.update(HEADERS | {"prefect-csrf-token": token})
    labels = {"labels": {CANARY: CANARY}, "tags": [CANARY]}
    flow = (await client.post("/flows/", json={"name": CANARY} | labels)).json()["id"]
    run = (await client.post("/flow_runs/", json=_run(flow))).json()["id"]
    answers = [await client.request(method, path, json=body) for method, path, body in _requests(flow, run)]
    answers.append(await client.get("/hello", auth=("somebody", CANARY)))
    answers.append(await client.post("/flows/", content=CANARY, headers={"content-type": "application/json"}))
    answers.append(await client.post("/flows/", headers={"prefect-csrf-token": f"{CANARY}-wrong"}))
    return [answer.status_code for answer in answers]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """The application, guarded by a canary."""
    api = {"auth_string": PASSWORD, "csrf_enabled": True}
    async with staged(tmp_path_factory.mktemp("canary"), api=api) as made:
        yield made


@pytest.fixture
def signals(stage: Stage, log_lines: Callable[[], list[str]]) -> Signals:
    """What the application tells in this test."""
    return stage.listen(log_lines)


def _client(stage: Stage) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(stage.app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://lightwell/api", auth=("admin", CANARY))


def _check(told: str) -> None:
    place = told.lower().find(CANARY.lower())
    assert place < 0, told[max(0, place - 300) : place + 100]


async def test_what_callers_send_is_not_told(stage: Stage, signals: Signals) -> None:
    """Accepted, refused or lost, by HTTP."""
    async with _client(stage) as client:
        statuses = await _spread(client)

    assert {200, 201, 204, 401, 403, 404, 405, 409, 422} <= set(statuses), statuses
    assert not [status for status in statuses if status >= 500]
    assert len(signals.server_spans) >= len(statuses)
    _check(signals.everything())


async def test_what_websockets_send_is_not_told(stage: Stage, signals: Signals) -> None:
    """Tokens, frames that are broken, events and queries."""
    for first, second in (
        ({"type": "auth", "token": f"{CANARY}-wrong"}, None),
        ({"type": CANARY, CANARY: CANARY}, None),
        ({"type": "auth", "token": PASSWORD}, {"event": CANARY, "resource": {CANARY: 5}}),
    ):
        path = {"path": "/api/events/in", "query": f"token={CANARY}"}
        async with talk(stage.app, "prefect", headers=HEADERS, **path) as session:
            await session.send_json(first)
            if second is not None:
                assert (await session.send_json(second))["type"] == "websocket.close"

    assert len(signals.events("websocket.closed")) == 3
    _check(signals.everything())


DRIVER_ERRORS = {
    "sqlalchemy": sqlalchemy.exc.IntegrityError(
        f"INSERT '{CANARY}'", {"name": CANARY}, sqlite3.ProgrammingError(CANARY)
    ),
    "sqlite3": sqlite3.ProgrammingError(f"near {CANARY}: syntax error"),
    "psycopg": psycopg.errors.SyntaxError(f"syntax error at {CANARY}"),
    "value": ValueError(f"{CANARY!r} is not a valid StateType"),
    "lookup": KeyError(CANARY),
    "text": UnicodeEncodeError("utf-8", CANARY, 0, 1, "surrogates not allowed"),
}


@pytest.mark.parametrize("error", DRIVER_ERRORS.values(), ids=DRIVER_ERRORS)
async def test_what_drivers_say_is_not_told(
    error: Exception, stage: Stage, signals: Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failure whose message holds values is a 500, told by its type and its place."""

    def read(*_args: object) -> NoReturn:
        raise error

    monkeypatch.setattr(flow_runs, "read", read)
    async with _client(stage) as client:
        response = await client.get(f"/flow_runs/{NOBODY}")

    assert response.status_code == 500
    assert len([line for line in signals.lines if "stack" in line]) == 1
    _check(signals.everything() + response.text)


@pytest.mark.parametrize("column", ["state_type", "parameters", "tags", "state_timestamp"])
async def test_what_a_broken_row_holds_is_not_told(column: str, stage: Stage, signals: Signals) -> None:
    """A value that no model can hold fails the request, and stays where it is."""
    async with _client(stage) as client:
        token = (await client.get("/csrf-token", params={"client": CANARY})).json()["token"]
        client.headers.update(HEADERS | {"prefect-csrf-token": token})
        flow = (await client.post("/flows/", json={"name": CANARY})).json()["id"]
        run = (await client.post("/flow_runs/", json=_run(flow))).json()["id"]
        with closing(sqlite3.connect(stage.home / "lightwell.sqlite3", isolation_level=None)) as other:
            statement = f"UPDATE flow_run SET {column} = ? WHERE id = ?"  # noqa: S608 -- a name of this test's own
            other.execute(statement, (f"{{{CANARY}", UUID(run).bytes))
        response = await client.get(f"/flow_runs/{run}")

    assert response.status_code == 500
    _check(signals.everything())


async def test_nothing_leaves_the_process(postgres: PostgresServer, tmp_path: Path) -> None:
    """A real server on PostgreSQL at the lowest log level, every trace exported: not even when its database is lost."""
    url = postgres.create_database()
    with collecting() as collected:
        settings = {
            "LIGHTWELL_DATABASE_URL": url.replace("lightwell@", f"lightwell:{CANARY}@"),
            "LIGHTWELL_API_AUTH_STRING": PASSWORD,
            "LIGHTWELL_API_CSRF_ENABLED": "true",
            "LIGHTWELL_TELEMETRY_BASELINE_RATIO": "1",
            "LIGHTWELL_TELEMETRY_LOG_LEVEL": "DEBUG",
            "OTEL_EXPORTER_OTLP_ENDPOINT": collected.address,
        }
        with lightwell_server(tmp_path, settings) as server:
            async with httpx.AsyncClient(base_url=server.api_url, auth=("admin", CANARY)) as client:
                statuses = await _spread(client)
                await _break_websockets(server.api_url.replace("http", "ws", 1))
                with psycopg.connect(postgres.url("postgres"), autocommit=True) as superuser:
                    superuser.execute(f'DROP DATABASE "{parsed(url).database}" WITH (FORCE)'.encode())
                statuses += [(await client.get(f"/flow_runs/{NOBODY}")).status_code]
                statuses += [(await client.get("/ready")).status_code]

    assert {200, 201, 204, 401, 403, 404, 405, 409, 422, 503} <= set(statuses), statuses
    names = {span.name for span in collected.spans}
    assert {"POST /api/flow_runs/{id}/set_state", "websocket /api/events/in", "flow_runs.create"} <= names
    assert "http.server.request.duration" in collected.metric_names
    _check(server.log.read_text())
    for _, _, body in collected.requests:
        _check(body.decode("latin-1"))


async def _break_websockets(url: str) -> None:
    for path, messages in (
        ("/events/in", ['{"type": "auth", "token": "' + CANARY + '"}']),
        ("/events/in", [CANARY]),
        (
            "/events/out",
            ['{"type": "auth", "token": "' + PASSWORD + '"}', '{"type": "filter", "filter": "' + CANARY + '"}'],
        ),
        ("/logs/out", [b"\xff" + CANARY.encode()]),
    ):
        address = f"{url}{path}?token={CANARY}"
        async with websockets.connect(
            address, subprotocols=[websockets.Subprotocol("prefect")], additional_headers={"x-api-key": CANARY}
        ) as socket:
            with suppress(websockets.ConnectionClosed):
                for message in messages:
                    await socket.send(message, text=True) if isinstance(message, bytes) else await socket.send(message)
                while True:
                    await socket.recv()
