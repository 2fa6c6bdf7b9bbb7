"""What can befall the store of traces of a server that serves: its clients never notice, its operator is told once."""

import os
import resource
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.chaos.load import accepted, client_of, create_flow_run
from tests.chaos.patience import until
from tests.postgres import PostgresServer
from tests.serving import Serving, lightwell_server

_REQUESTS = 50


@pytest.fixture
def serving(tmp_path: Path, postgres: PostgresServer) -> Iterator[Serving]:
    """A server on PostgreSQL, whose only file is that of the traces; it keeps all of them."""
    settings = {
        "LIGHTWELL_DATABASE_URL": postgres.create_database(),
        "LIGHTWELL_TELEMETRY_BASELINE_RATIO": "1",
        "LIGHTWELL_TELEMETRY_LOG_LEVEL": "WARNING",
    }
    with lightwell_server(tmp_path, settings) as made:
        yield made


@pytest.fixture
async def client(serving: Serving) -> AsyncIterator[httpx.AsyncClient]:
    """A client of that server."""
    async with client_of(serving.api_url) as made:
        yield made


@pytest.fixture
def path(serving: Serving) -> Path:
    """The file of the traces."""
    return serving.log.parent / "traces.sqlite3"


async def work(client: httpx.AsyncClient) -> None:
    """Requests that are all answered as they should be."""
    flow_id = (await accepted(client, "/flows/", {"name": "chaos"}))["id"]
    for _ in range(_REQUESTS):
        await create_flow_run(client, flow_id)
    assert (await client.get("/ready")).is_success


async def traces(client: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    """The traces that are stored; none while the store is off."""
    answer = await client.get("/telemetry/traces", params={"limit": 200, **query})
    assert answer.status_code in {200, 503}, answer.text
    found: list[dict[str, Any]] = answer.json()["traces"] if answer.is_success else []
    return found


async def is_off(client: httpx.AsyncClient) -> bool:
    """Whether the store is off, asked so that all of it has to be read; more is asked of the server meanwhile."""
    await work(client)
    answer = await client.get("/telemetry/traces", params={"route": "/nowhere"})
    if answer.status_code == 503:
        assert answer.json()["exception_message"].startswith("The store of traces")
        assert int(answer.headers["retry-after"]) > 0
    return answer.status_code == 503


def warnings(serving: Serving) -> list[str]:
    """What the server has said of its store."""
    return [line["trouble"] for line in serving.log_lines() if line["event"] == "trace_store.off"]


async def test_a_full_disk_costs_traces_alone(serving: Serving, client: httpx.AsyncClient, path: Path) -> None:
    """No file may grow any more: every request is answered, the store is off, and that is told once."""
    await work(client)
    assert len(await traces(client)) > _REQUESTS
    grown = max(path.with_name(f"{path.name}{end}").stat().st_size for end in ("", "-wal"))
    _, most = resource.prlimit(serving.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(serving.process.pid, resource.RLIMIT_FSIZE, (grown + 50_000, most))

    await until(partial(is_off, client), "the store to be off", 60)

    for _ in range(3):
        await work(client)
    [trouble] = warnings(serving)
    assert trouble in {"reading or writing the file failed", "the disk is full"}


async def test_a_corrupt_file_costs_traces_alone(serving: Serving, client: httpx.AsyncClient, path: Path) -> None:
    """The file is overwritten while it is used: every request is answered, the store is off, and that is told once.

    Nobody has read it before: what is in a cache is not missed.
    """
    await work(client)
    assert (await client.get(f"/telemetry/traces/{'0' * 32}")).status_code == 404
    for end in ("", "-wal"):
        with path.with_name(f"{path.name}{end}").open("r+b") as file:
            file.write(os.urandom(os.fstat(file.fileno()).st_size))

    await until(partial(is_off, client), "the store to be off", 60)

    await work(client)
    assert len(warnings(serving)) == 1


async def test_a_deleted_file_is_begun_anew(serving: Serving, client: httpx.AsyncClient, path: Path) -> None:
    """Every request is answered, and the traces after it are stored."""
    await work(client)
    for end in ("", "-wal", "-shm"):
        path.with_name(f"{path.name}{end}").unlink()

    await work(client)

    async def has_some() -> bool:
        await work(client)
        return len(await traces(client)) > _REQUESTS

    await until(has_some, "traces in a new file")
    assert warnings(serving) == []
