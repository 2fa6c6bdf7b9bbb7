"""PostgreSQL goes away and comes back while servers run on it: no restart, no lost write, no silent stream."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.chaos.halves import halves
from tests.chaos.load import accepted, client_of, create_flow_run
from tests.chaos.patience import until
from tests.chaos.troubled import errors_of
from tests.chaos.visitors import Answer, Follower, Visitor, at_work
from tests.postgres import PostgresServer
from tests.serving import Serving, lightwell_server

_LONGEST_REFUSAL_SECONDS = 6.0
_RECOVERY_SECONDS = 15.0
_SOON_SECONDS = 5.0


@pytest.fixture
def database_server() -> Iterator[PostgresServer]:
    """A PostgreSQL of the test's own, which it may stop."""
    with PostgresServer() as made:
        yield made


async def test_servers_outlive_the_loss_of_postgresql(database_server: PostgresServer, tmp_path: Path) -> None:
    """It is stopped in order, and then as in a crash: both times everybody is told, and everything works again."""
    url = database_server.create_database()
    settings = {"LIGHTWELL_DATABASE_URL": url, "LIGHTWELL_LOOPS_LATE_RUNS_PERIOD": "0.2s"}
    async with AsyncExitStack() as stack:
        near = stack.enter_context(lightwell_server(tmp_path / "near", settings))
        far = stack.enter_context(lightwell_server(tmp_path / "far", settings))
        client = await stack.enter_async_context(client_of(far.api_url))
        flow_id = (await accepted(client, "/flows/", {"name": "chaos"}))["id"]
        visitor, follower = Visitor(near.api_url, flow_id), Follower(near.api_url)
        async with at_work(visitor, follower):
            for how in (signal.SIGINT, signal.SIGQUIT):
                await _assert_all_is_well(client, flow_id, follower)
                sendings_away = len(follower.closes)
                await asyncio.to_thread(database_server.stop, how)
                await _assert_visitor_refused(visitor)
                for server in (near, far):
                    await _assert_not_ready(server)
                await asyncio.to_thread(database_server.start)
                for server in (near, far):
                    await until(partial(_is_ready, server), "the server to be ready again", _RECOVERY_SECONDS)
                await until(partial(_listens, follower, sendings_away + 1), "the stream to begin again")
            await _assert_all_is_well(client, flow_id, follower)
        await _assert_kept(client, visitor.created)
    assert halves(url) == {}
    assert set(follower.closes) <= {1013}
    for server in (near, far):
        assert errors_of(server) == []


async def _assert_all_is_well(client: httpx.AsyncClient, flow_id: str, follower: Follower) -> None:
    """What one server is told is heard from the other, each time, soon."""
    await until(partial(_listens, follower), "the stream to be open")
    for _ in range(2):
        run = await create_flow_run(client, flow_id)
        await until(partial(_has_heard, follower, run["state"]["id"]), "the event in the stream", _SOON_SECONDS)


async def _assert_visitor_refused(visitor: Visitor) -> None:
    """Who comes is asked to come again, soon."""
    for refused in await until(partial(_refusals, visitor, len(visitor.answers)), "requests to be refused"):
        assert refused.status == httpx.codes.SERVICE_UNAVAILABLE, refused
        assert refused.seconds < _LONGEST_REFUSAL_SECONDS
        assert int(refused.headers["retry-after"]) >= 1
        assert refused.headers["x-trace-id"] in refused.body


async def _assert_not_ready(server: Serving) -> None:
    """Who watches is told why, and that the server lives; the loops put their work off."""
    async with client_of(server.api_url) as client:
        ready, health = await client.get("/ready"), await client.get("/health")
    assert (ready.status_code, ready.json()) == (503, {"message": "Database is not available"})
    assert ready.elapsed.total_seconds() < _LONGEST_REFUSAL_SECONDS
    assert "retry-after" in ready.headers
    assert (health.status_code, health.json()) == (200, True)
    await until(partial(_puts_off, server, _put_off(server)), "a loop to put its work off")


async def _assert_kept(client: httpx.AsyncClient, created: list[str]) -> None:
    for first in range(0, len(created), 200):
        page = created[first : first + 200]
        found = await accepted(client, "/flow_runs/filter", {"flow_runs": {"id": {"any_": page}}})
        assert {run["id"] for run in found} == set(page)


async def _listens(follower: Follower, after: int = 0) -> bool:
    return follower.is_listening and len(follower.closes) >= after


async def _has_heard(follower: Follower, event_id: str) -> bool:
    return event_id in follower.heard


async def _refusals(visitor: Visitor, since: int) -> list[Answer]:
    refused = [answer for answer in visitor.answers[since:] if answer.status != httpx.codes.CREATED]
    return refused if len(refused) > 2 else []


async def _is_ready(server: Serving) -> bool:
    async with client_of(server.api_url) as client:
        return (await client.get("/ready")).is_success


async def _puts_off(server: Serving, before: int) -> bool:
    return _put_off(server) > before


def _put_off(server: Serving) -> int:
    return sum(line["event"] == "loop.tick_put_off" for line in server.log_lines())
