"""What can befall a SQLite file: more clients than the reference server bears, a foreign lock, a disk without room."""

import asyncio
import json
import resource
import sqlite3
from contextlib import closing
from functools import partial
from time import monotonic

import httpx

from tests.chaos.load import authenticate, create_flow_run, websocket
from tests.chaos.patience import until
from tests.chaos.troubled import LOCK_TIMEOUT_SECONDS, Troubled, count_runs
from tests.chaos.visitors import Visitor, at_work

_CONNECTIONS = 64
_RUNS_EACH = 4
_SHORT_LOCK_SECONDS = 3.0
_WRITES = 20
_EVENT = {
    "id": "c4a05000-0000-4000-8000-000000000000",
    "occurred": "2026-01-01T00:00:00Z",
    "event": "chaos",
    "resource": {"prefect.resource.id": "chaos"},
}


async def test_many_connections_at_once_are_all_answered(server: Troubled, flow_id: str) -> None:
    """64 clients create flow runs at the same time, and each of them is answered 201."""
    body = {"flow_id": flow_id, "state": {"type": "PENDING"}}
    limits = httpx.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS)
    async with httpx.AsyncClient(base_url=server.api_url, timeout=30.0, limits=limits) as many:

        async def create_some() -> list[int]:
            return [(await many.post("/flow_runs/", json=body)).status_code for _ in range(_RUNS_EACH)]

        statuses = await asyncio.gather(*(create_some() for _ in range(_CONNECTIONS)))
    assert statuses == [[httpx.codes.CREATED] * _RUNS_EACH] * _CONNECTIONS


async def test_a_foreign_lock_delays_writes_and_loses_none(
    server: Troubled, client: httpx.AsyncClient, flow_id: str
) -> None:
    """While a backup tool holds the file for 3 seconds reads go on, writes wait, and no ping is answered too soon."""
    async with websocket(server.api_url, "/events/in") as socket:
        await authenticate(socket)
        with closing(sqlite3.connect(server.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            writes = [asyncio.create_task(create_flow_run(client, flow_id)) for _ in range(_WRITES)]
            await socket.send(json.dumps(_EVENT))
            pong = await socket.ping()
            done, _ = await asyncio.wait([*writes, asyncio.ensure_future(pong)], timeout=_SHORT_LOCK_SECONDS)
            assert not done
            assert (await client.get("/ready")).is_success
            assert await count_runs(client, flow_id) == 0
            other.execute("ROLLBACK")
        await asyncio.gather(*writes)
        await pong
    assert await count_runs(client, flow_id) == _WRITES


async def test_a_foreign_lock_that_stays_is_told_of_in_time(
    server: Troubled, client: httpx.AsyncClient, flow_id: str
) -> None:
    """Writes are answered 503 with a time to come again, not later than the limit; then everything works."""
    body = {"flow_id": flow_id, "state": {"type": "PENDING"}}
    with closing(sqlite3.connect(server.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        started = monotonic()
        answers = await asyncio.gather(*(client.post("/flow_runs/", json=body) for _ in range(_WRITES)))
        assert monotonic() - started < LOCK_TIMEOUT_SECONDS + 3
        other.execute("ROLLBACK")
    assert {answer.status_code for answer in answers} == {httpx.codes.SERVICE_UNAVAILABLE}
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in answers)
    assert await count_runs(client, flow_id) == 0
    await create_flow_run(client, flow_id)


async def test_a_full_disk_fails_writes_clearly_and_reads_go_on(
    server: Troubled, client: httpx.AsyncClient, flow_id: str
) -> None:
    """No file of the server may grow for a while: 503 with a time to come again, and all that was answered is kept."""
    visitor = Visitor(server.api_url, flow_id)
    async with at_work(visitor):
        await until(partial(_answers_with, visitor, httpx.codes.CREATED, 0), "a run to be created")
        _let_files_grow_to(server, 4096)
        try:
            since = len(visitor.answers)
            await until(partial(_answers_with, visitor, httpx.codes.SERVICE_UNAVAILABLE, since), "a refusal")
            found = await count_runs(client, flow_id)
            assert found >= len(visitor.created)
            assert (await client.get("/ready")).is_success
        finally:
            _let_files_grow_to(server, resource.RLIM_INFINITY)
        since = len(visitor.answers)
        await until(partial(_answers_with, visitor, httpx.codes.CREATED, since), "a run to be created again")
    assert {answer.status for answer in visitor.answers} == {httpx.codes.CREATED, httpx.codes.SERVICE_UNAVAILABLE}
    refused = [answer for answer in visitor.answers if answer.status == httpx.codes.SERVICE_UNAVAILABLE]
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in refused)
    assert await count_runs(client, flow_id) == len(visitor.created)


def _let_files_grow_to(server: Troubled, size: int) -> None:
    """As a full disk does, but for this server alone."""
    _, most = resource.prlimit(server.serving.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.serving.process.pid, resource.RLIMIT_FSIZE, (size, most))


async def _answers_with(visitor: Visitor, status: int, since: int) -> bool:
    return any(answer.status == status for answer in visitor.answers[since:])
