"""Every metric of the vocabulary comes out of a server that runs, under a load that has some trouble in it.

A panel or an alert that is made of a declared metric is of no use where nothing ever feeds it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
import websockets

from lightwell.events.bus import Bus
from lightwell.instrumentation.vocabulary import METRICS
from lightwell.kit.clock import SystemClock
from lightwell.storage.database import open_database
from lightwell.storage.transaction import Transaction
from tests.postgres import PostgresServer
from tests.serving import Serving, lightwell_server
from tests.signals.collector import collecting
from tests.storage.rows import making
from tests.storage.rows.making import state
from tests.telemetry.otlp.sending import request, span, textual

TESTS = Path(__file__).parents[1]
PATIENCE = 60.0

NEEDS_MORE_TROUBLE = {
    "lightwell.trace_store.dropped": "telemetry/test_store.py::test_a_full_queue_loses_the_oldest_and_counts_them",
}
"""Metrics that this load does not feed, each with the test that does."""

_SETTINGS = {
    "OTEL_METRIC_EXPORT_INTERVAL": "500",
    "OTEL_BSP_SCHEDULE_DELAY": "50",
    # Spans get lost, which is a metric.
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:1/v1/traces",
    "LIGHTWELL_LOOPS_STATISTICS_PERIOD": "0.2s",
    "LIGHTWELL_LOOPS_EXPORTER_NAMES_ENABLED": "true",
    "LIGHTWELL_LOOPS_EXPORTER_NAMES_PERIOD": "0.2s",
    "LIGHTWELL_LOOPS_LATE_RUNS_PERIOD": "0.2s",
    "LIGHTWELL_LOOPS_LATE_RUNS_AFTER": "0s",
}


def _queues(tx: Transaction) -> None:
    """What no endpoint makes yet."""
    _, queue_id = making.pool_with_queue(tx, "pool", "queue")
    flow_id = making.flow(tx, "deployed")
    deployed = making.deployed(tx, flow_id, "nightly", work_queue_id=queue_id)
    moments = {"expected_start_time": tx.now, "next_scheduled_start_time": tx.now}
    making.flow_run(tx, flow_id, state("SCHEDULED", tx.now), deployment_id=deployed, work_queue_id=queue_id, **moments)


async def _store(url: str, verb: Callable[[Transaction], None]) -> None:
    database = open_database(url, clock=SystemClock(), bus=Bus())
    await database.start()
    await database.write(verb)
    await database.stop()


async def _runs(client: httpx.AsyncClient) -> None:
    flow = (await client.post("/flows/", json={"name": "every"})).json()["id"]
    for final in ("COMPLETED", "FAILED", "CRASHED"):
        body = {"flow_id": flow, "state": {"type": "PENDING"}}
        run = (await client.post("/flow_runs/", json=body)).json()["id"]
        # The first is refused, by a rule that says so.
        for step in ("PENDING", "RUNNING", final):
            answer = await client.post(f"/flow_runs/{run}/set_state", json={"state": {"type": step}})
            assert answer.is_success
    line = {"name": "n", "level": 20, "message": "m", "timestamp": "2026-01-01T00:00:00Z"}
    assert (await client.post("/logs/", json=[line])).is_success


async def _websocket(client: httpx.AsyncClient) -> None:
    url = str(client.base_url).replace("http", "ws", 1) + "events/in"
    async with websockets.connect(url, subprotocols=[websockets.Subprotocol("prefect")]) as socket:
        await socket.send('{"type": "auth"}')
        await socket.recv()
        event = {"id": str(uuid4()), "occurred": "2026-01-01T00:00:00Z", "event": "e"}
        event |= {"resource": {"prefect.resource.id": "every.one"}}  # type: ignore[dict-item]
        await socket.send(httpx.Request("POST", "http://e", json=event).content, text=True)
        await (await socket.ping())


async def _trouble(client: httpx.AsyncClient, url: str) -> None:
    """Connections that break under the server, and a client that does not wait for its answer."""
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        assert (await client.post("/flows/filter", json={})).is_success
    with psycopg.connect(url) as other:
        other.execute("LOCK TABLE flow IN ACCESS EXCLUSIVE MODE")
        with suppress(httpx.TimeoutException):
            await client.post("/flows/filter", json={}, timeout=0.3)
            pytest.fail("the table was not locked")


async def _otlp(client: httpx.AsyncClient, server: Serving) -> None:
    address = server.api_url.removesuffix("/api") + "/v1/traces"
    body = textual(request([span()]))
    assert (await client.post(address, content=body, headers={"content-type": "application/json"})).is_success


async def _until(condition: Callable[[], bool], again: Callable[[], Awaitable[Any]]) -> None:
    give_up = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > give_up:
            return
        await again()
        await asyncio.sleep(0.2)


def test_what_is_fed_elsewhere_has_a_test_there() -> None:
    """The list is short, of metrics that are declared, and each test is there."""
    declared = {metric.name for metric in METRICS}
    assert set(NEEDS_MORE_TROUBLE) <= declared
    assert len(NEEDS_MORE_TROUBLE) <= 5
    for where in NEEDS_MORE_TROUBLE.values():
        path, _, test = where.partition("::")
        assert f"def {test}(" in (TESTS / path).read_text()


@pytest.mark.timeout(180)
async def test_every_metric_comes_out(tmp_path: Path, postgres: PostgresServer) -> None:
    """Of a server on PostgreSQL, which has all of them, by OTLP."""
    url = postgres.create_database()
    expected = {metric.name for metric in METRICS} - set(NEEDS_MORE_TROUBLE)
    with collecting() as collected:
        settings = _SETTINGS | {
            "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": f"{collected.address}/v1/metrics",
            "LIGHTWELL_DATABASE_URL": url,
        }
        with lightwell_server(tmp_path, settings) as server:
            await _store(url, _queues)
            async with httpx.AsyncClient(base_url=server.api_url) as client:
                await _runs(client)
                await _websocket(client)
                await _trouble(client, url)
                await _otlp(client, server)
                await _until(lambda: expected <= collected.metric_names, lambda: client.get("/hello"))
        missing = expected - collected.metric_names
        unknown = collected.metric_names - {metric.name for metric in METRICS}

    assert missing == set()
    assert unknown == set()
