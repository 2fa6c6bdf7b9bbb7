"""No secret that reaches the real server leaves it in a span, a metric or a log line, whatever breaks.

What a caller may see again in telemetry, by design: ids; names and types of states; templates of routes, and words of
small letters in a path that leads nowhere; the `User-Agent`; trace contexts, `tracestate` included; places and types
of what is wrong in a body, by the names that the contract declares; messages of our own exceptions, which quote no
values. Everything else is a canary here: if it is found, it has leaked.
"""

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from typing import NoReturn
from uuid import UUID

import httpx
import psycopg
import pytest
import pytest_asyncio
import sqlalchemy

from lightwell.storage import flow_runs
from lightwell.storage.database import parsed
from tests.postgres import PostgresServer
from tests.serving import lightwell_server
from tests.signals.canaries import CANARY, HEADERS, NOBODY, PASSWORD, a_run, break_websockets, check, spread
from tests.signals.collector import collecting
from tests.signals.conftest import Signals, talk
from tests.signals.stage import Stage, staged
from tests.signals.stored import text_of_store

pytestmark = pytest.mark.asyncio(loop_scope="module")


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


async def test_what_callers_send_is_not_told(stage: Stage, signals: Signals) -> None:
    """Accepted, refused or lost, by HTTP."""
    async with _client(stage) as client:
        statuses = await spread(client)

    assert {200, 201, 204, 401, 403, 404, 405, 409, 422} <= set(statuses), statuses
    assert not [status for status in statuses if status >= 500]
    assert len(signals.server_spans) >= len(statuses)
    check(signals.everything())


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
    check(signals.everything())


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
    check(signals.everything() + response.text)


@pytest.mark.parametrize("column", ["state_type", "parameters", "tags", "state_timestamp"])
async def test_what_a_broken_row_holds_is_not_told(column: str, stage: Stage, signals: Signals) -> None:
    """A value that no model can hold fails the request, and stays where it is."""
    async with _client(stage) as client:
        token = (await client.get("/csrf-token", params={"client": CANARY})).json()["token"]
        client.headers.update(HEADERS | {"prefect-csrf-token": token})
        flow = (await client.post("/flows/", json={"name": CANARY})).json()["id"]
        run = (await client.post("/flow_runs/", json=a_run(flow))).json()["id"]
        with closing(sqlite3.connect(stage.home / "lightwell.sqlite3", isolation_level=None)) as other:
            statement = f"UPDATE flow_run SET {column} = ? WHERE id = ?"  # noqa: S608 -- a name of this test's own
            other.execute(statement, (f"{{{CANARY}", UUID(run).bytes))
        response = await client.get(f"/flow_runs/{run}")

    assert response.status_code == 500
    check(signals.everything())


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
                statuses = await spread(client)
                await break_websockets(server.api_url.replace("http", "ws", 1))
                with psycopg.connect(postgres.url("postgres"), autocommit=True) as superuser:
                    superuser.execute(f'DROP DATABASE "{parsed(url).database}" WITH (FORCE)'.encode())
                statuses += [(await client.get(f"/flow_runs/{NOBODY}")).status_code]
                statuses += [(await client.get("/ready")).status_code]
                scraped = (await client.get(server.api_url.replace("/api", "/metrics"))).text

    assert {200, 201, 204, 401, 403, 404, 405, 409, 422, 503} <= set(statuses), statuses
    names = {span.name for span in collected.spans}
    assert {"POST /api/flow_runs/{id}/set_state", "websocket /api/events/in", "flow_runs.create"} <= names
    assert "http.server.request.duration" in collected.metric_names
    assert {"http.request", "request.unavailable"} <= {record.body.string_value for record in collected.records}
    assert "http_server_request_duration_seconds_bucket" in scraped
    stored = text_of_store(tmp_path / "traces.sqlite3")
    for name in ("POST /api/flow_runs/{id}/set_state", "flow_runs.create", "request.unavailable", "INSERT INTO"):
        assert name in stored
    for told in (server.log.read_text(), scraped, stored, *(body.decode("latin-1") for *_, body in collected.requests)):
        check(told)
