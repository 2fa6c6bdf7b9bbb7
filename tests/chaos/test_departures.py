"""Clients that leave, or hardly get on: what nobody waits for is not begun, and nobody else waits for it."""

import asyncio
import json
import sqlite3
from asyncio import StreamReader, StreamWriter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psycopg

from tests.chaos.load import accepted, client_of, create_flow_run
from tests.chaos.patience import until
from tests.chaos.troubled import Troubled, count_runs, errors_of
from tests.postgres import PostgresServer
from tests.serving import Serving, lightwell_server

_LEAVERS = 10
_STAYERS = 5


async def test_what_waits_for_sqlite_is_not_begun_when_its_client_has_left(
    server: Troubled, client: httpx.AsyncClient, flow_id: str
) -> None:
    """Who stays is answered when the foreign lock is gone; who left has made nothing."""
    with closing(sqlite3.connect(server.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        staying = [asyncio.create_task(create_flow_run(client, flow_id)) for _ in range(_STAYERS)]
        leaving = [await _ask(server.serving, flow_id) for _ in range(_LEAVERS)]
        await _leave(server.serving, leaving)
        assert not any(stayer.done() for stayer in staying)
        other.execute("ROLLBACK")
    await asyncio.gather(*staying)
    assert await count_runs(client, flow_id) == _STAYERS


async def test_what_waits_for_postgresql_is_not_begun_when_its_client_has_left(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    """The only connection is held up: what has begun on it is kept, and what waits behind it only for who stays."""
    url = postgres.create_database()
    timeouts = {f"LIGHTWELL_DATABASE_{name}_TIMEOUT": "60s" for name in ("LOCK", "STATEMENT", "QUEUE")}
    settings = {"LIGHTWELL_DATABASE_POOL_SIZE": "1", "LIGHTWELL_LOOPS_ENABLED": "false", **timeouts}
    with lightwell_server(tmp_path, {"LIGHTWELL_DATABASE_URL": url, **settings}) as serving:
        async with client_of(serving.api_url) as client:
            flow_id = (await accepted(client, "/flows/", {"name": "chaos"}))["id"]
            with _locked_table(url) as foreign:
                leaving = [await _ask(serving, flow_id)]
                await until(partial(_is_waited_for, foreign), "the connection to be held up")
                staying = [asyncio.create_task(create_flow_run(client, flow_id)) for _ in range(_STAYERS)]
                leaving += [await _ask(serving, flow_id) for _ in range(_LEAVERS)]
                await _leave(serving, leaving)
                assert not any(stayer.done() for stayer in staying)
            await asyncio.gather(*staying)
            assert await count_runs(client, flow_id) == 1 + _STAYERS
    assert errors_of(serving) == []


async def test_a_client_that_hardly_gets_on_holds_nobody_up(
    server: Troubled, client: httpx.AsyncClient, flow_id: str
) -> None:
    """While bodies are sent by halves others are answered; a body that never ends makes nothing."""
    request = _request(flow_id)
    slow, broken = [await _connect(server.serving) for _ in range(2)]
    for _, writer in (slow, broken):
        writer.write(request[:-10])
        await writer.drain()
    for _ in range(_STAYERS):
        await create_flow_run(client, flow_id)
    await _leave(server.serving, [broken])
    assert await count_runs(client, flow_id) == _STAYERS
    slow[1].write(request[-10:])
    assert b" 201 " in await slow[0].readline()
    slow[1].close()
    assert await count_runs(client, flow_id) == _STAYERS + 1


async def _connect(serving: Serving) -> tuple[StreamReader, StreamWriter]:
    address = urlsplit(serving.api_url)
    return await asyncio.open_connection(address.hostname, address.port)


async def _ask(serving: Serving, flow_id: str) -> tuple[StreamReader, StreamWriter]:
    """Ask for a flow run, and do not wait for the answer."""
    reader, writer = await _connect(serving)
    writer.write(_request(flow_id))
    await writer.drain()
    return reader, writer


async def _leave(serving: Serving, leaving: list[tuple[StreamReader, StreamWriter]]) -> None:
    """Break connections off, and wait until the server knows."""
    before = _departures(serving)
    for _, writer in leaving:
        writer.close()

    async def is_known() -> bool:
        return _departures(serving) == before + len(leaving)

    await until(is_known, "the server to know who left")


def _departures(serving: Serving) -> int:
    return sum(line["event"] == "client.disconnected" for line in serving.log_lines())


def _request(flow_id: str) -> bytes:
    body = json.dumps({"flow_id": flow_id, "state": {"type": "PENDING"}}).encode()
    return b"POST /api/flow_runs/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


@contextmanager
def _locked_table(url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url) as foreign:
        foreign.execute("LOCK TABLE flow_run IN ACCESS EXCLUSIVE MODE")
        yield foreign


async def _is_waited_for(foreign: psycopg.Connection) -> bool:
    row = foreign.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone()
    return row is not None and row[0] > 0
