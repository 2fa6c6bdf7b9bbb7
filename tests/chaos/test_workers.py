"""Two worker processes on one PostgreSQL, one of which is killed."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import httpx
import psutil

from tests.chaos.halves import halves
from tests.chaos.load import NO_TLS, accepted
from tests.chaos.patience import until
from tests.chaos.troubled import errors_of
from tests.postgres import PostgresServer
from tests.serving import Serving, lightwell_server

_WORKERS = 2
_RUNS = 15
_START_SECONDS = 60.0


async def test_a_killed_worker_is_replaced_while_the_other_goes_on(postgres: PostgresServer, tmp_path: Path) -> None:
    """Both write; one is killed and the other answers all the same; soon there are two again. Late is said once."""
    url = postgres.create_database()
    settings = {"LIGHTWELL_LISTEN_WORKERS": f"{_WORKERS}", "LIGHTWELL_LOOPS_LATE_RUNS_PERIOD": "0.1s"}
    with lightwell_server(tmp_path, {"LIGHTWELL_DATABASE_URL": url, **settings}) as server:
        doomed, other = await until(partial(_workers, server), "the workers")
        async with _client_at(server, doomed) as cut_off, _client_at(server, other) as client:
            flow_id = (await accepted(client, "/flows/", {"name": "chaos"}))["id"]
            due = [await _create_overdue(one, flow_id) for one in (cut_off, client) for _ in range(_RUNS)]
            doomed.kill()
            due += [await _create_overdue(client, flow_id) for _ in range(_RUNS)]
        workers = await until(partial(_workers, server, without=doomed), "a new worker")
        assert other in workers
        (new,) = [worker for worker in workers if worker != other]
        async with _client_at(server, new) as client:
            due += [await _create_overdue(client, flow_id) for _ in range(_RUNS)]
            for run_id in due:
                await until(partial(_later_states, client, run_id), "the run to be late")
            assert [await _later_states(client, run_id) for run_id in due] == [["Late"]] * len(due)
    assert halves(url) == {}
    assert errors_of(server) == []


async def _workers(server: Serving, *, without: psutil.Process | None = None) -> list[psutil.Process]:
    """The processes that serve, when they are all there."""
    children = psutil.Process(server.process.pid).children()
    found = [child for child in children if child != without and _is_worker(child)]
    return found if len(found) == _WORKERS else []


def _is_worker(child: psutil.Process) -> bool:
    try:
        return any("spawn_main" in argument for argument in child.cmdline())
    except psutil.NoSuchProcess:
        return False


@asynccontextmanager
async def _client_at(server: Serving, worker: psutil.Process) -> AsyncIterator[httpx.AsyncClient]:
    """A client whose connection this worker serves; who takes a new one is chance."""
    async with AsyncExitStack() as stack:

        async def connect() -> httpx.AsyncClient | None:
            client = httpx.AsyncClient(base_url=server.api_url, timeout=30.0, verify=NO_TLS)
            answer = await (await stack.enter_async_context(client)).get("/hello")
            port: int = answer.extensions["network_stream"].get_extra_info("client_addr")[1]
            # A socket that listens has no other end.
            served = {getattr(socket.raddr, "port", None) for socket in worker.net_connections("tcp")}
            return client if port in served else None

        client = await until(connect, "a connection to the worker", _START_SECONDS)
        assert client is not None
        yield client


async def _create_overdue(client: httpx.AsyncClient, flow_id: str) -> str:
    """A flow run that should have started long ago."""
    scheduled = (datetime.now(UTC) - timedelta(minutes=5)).isoformat()
    state = {"type": "SCHEDULED", "state_details": {"scheduled_time": scheduled}}
    run_id: str = (await accepted(client, "/flow_runs/", {"flow_id": flow_id, "state": state}))["id"]
    return run_id


async def _later_states(client: httpx.AsyncClient, flow_run_id: str) -> list[str]:
    """The names of the states after the first."""
    answer = await client.get("/flow_run_states/", params={"flow_run_id": flow_run_id})
    return [state["name"] for state in answer.raise_for_status().json()[1:]]
