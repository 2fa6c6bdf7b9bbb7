"""Clients that leave, or hardly get on: what nobody waits for is not begun, and nobody else waits for it."""

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psycopg

from tests.chaos.load import accepted, client_of, create_flow_run
from tests.chaos.patience import until
from tests.chaos.troubled import Troubled, count_runs
from tests.postgres import PostgresServer
from tests.serving import Serving, lightwell_server

_LEAVERS = 10
_STAYERS = 5


async def test_a_unit_that_waits_for_sqlite_is_not_begun_when_its_client_has_left(
    server: Troubled, client: httpx.AsyncClient, flow_id: str
) -> None:
    """Who stays is answered when the foreign lock is gone; who left has made nothing."""
    with closing(sqlite3.connect(server.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        staying = [asyncio.create_task(create_flow_run(client, flow_id)) for _ in range(_STAYERS)]
        await _come_and_leave(server.serving, flow_id)
        assert not any(stayer.done() for stayer in staying)
        other.execute("ROLLBACK")
    await asyncio.gather(*staying)
    assert await count_runs(client, flow_id) == _STAYERS


async def test_a_unit_that_waits_for_a_connection_is_not_begun_when_its_client_has_left(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    """The one connection is held up by a foreign lock; what has begun on it is kept, what waits behind it is not begun."""
    url = postgres.create_database()
    settings = {"LIGHTWELL_DATABASE_URL": url, "LIGHTWELL_DATABASE_POOL_SIZE": "1"}
    with lightwell_server(tmp_path, settings) as serving:
        async with client_of(serving.api_url) as client:
            flow_id = (await accepted(client, "/flows/", {"name": "chaos"}))["id"]
            with _locked_table(url) as is_waited_for:
                staying = [asyncio.create_task(create_flow_run(client, flow_id)) for _ in range(_STAYERS)]
                await until(is_waited_for, "the connection to be held up")
                await _come_and_leave(serving, flow_id)
                assert not any(stayer.done() for stayer in staying)
            await asyncio.gather(*staying)
            assert await count_runs(client, flow_id) == _STAYERS
