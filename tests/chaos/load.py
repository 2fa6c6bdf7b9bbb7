"""Clients that run flows against a server as fast as it answers, until it is gone."""

import asyncio
import json
from datetime import UTC, datetime
from ssl import PROTOCOL_TLS_CLIENT, SSLContext
from typing import Any
from uuid import uuid4

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.chaos.accounts import LINES_AT_ONCE, Account

RUNNERS = 16
REPORTERS = 2
_TASKS_BETWEEN_PINGS = 3
NO_TLS = SSLContext(PROTOCOL_TLS_CLIENT)
"""For clients of plain HTTP: to read all certificates of the machine for each of them takes 20 ms."""
_GONE = (httpx.NetworkError, httpx.RemoteProtocolError)


async def run_until_gone(api_url: str, account: Account) -> None:
    """Keep clients at work until the server breaks off their connections; an answer that is no success is a failure."""
    limits = httpx.Limits(max_connections=RUNNERS + 1)
    async with (
        httpx.AsyncClient(base_url=api_url, timeout=30.0, limits=limits, verify=NO_TLS) as client,
        asyncio.TaskGroup() as group,
    ):
        flow_id = (await accepted(client, "/flows/", {"name": "chaos"}))["id"]
        parent = await create_flow_run(client, flow_id)
        account.note_flow_run_state(parent["id"], parent["state"]["id"])
        for _ in range(RUNNERS):
            group.create_task(_run_flows(client, flow_id, account))
        for _ in range(REPORTERS):
            group.create_task(_report_tasks(api_url, parent["id"], account))


def client_of(api_url: str) -> httpx.AsyncClient:
    """A client with a new connection for each request: none is lost because the server had enough of an idle one."""
    limits = httpx.Limits(max_keepalive_connections=0)
    return httpx.AsyncClient(base_url=api_url, timeout=30.0, limits=limits, verify=NO_TLS)


async def accepted(client: httpx.AsyncClient, path: str, body: Any) -> Any:
    """What a POST answers, which must be a success."""
    answer = await client.post(path, json=body)
    assert answer.is_success, (path, answer.status_code, answer.text)
    return answer.json()


async def create_flow_run(client: httpx.AsyncClient, flow_id: str) -> Any:
    """A new flow run, Pending."""
    return await accepted(client, "/flow_runs/", {"flow_id": flow_id, "state": {"type": "PENDING", "name": "Pending"}})


def websocket(api_url: str, path: str) -> connect:
    """A connection to one of the API's websockets, to be opened with `async with`; see `authenticate`."""
    url = f"{api_url.replace('http', 'ws', 1)}{path}"
    return connect(url, subprotocols=[Subprotocol("prefect")], proxy=None, compression=None, max_size=None)


async def authenticate(socket: ClientConnection) -> None:
    """Do the handshake that every websocket begins with."""
    await socket.send('{"type": "auth", "token": null}')
    assert json.loads(await socket.recv()) == {"type": "auth_success"}


async def _run_flows(client: httpx.AsyncClient, flow_id: str, account: Account) -> None:
    try:
        while True:
            run = await create_flow_run(client, flow_id)
            account.note_flow_run_state(run["id"], run["state"]["id"])
            await _enter(client, run["id"], "RUNNING", account)
            batch = uuid4().hex
            await accepted(client, "/logs/", _lines(run["id"], batch))
            account.note_logs(run["id"], batch)
            await _enter(client, run["id"], "COMPLETED", account)
    except _GONE:
        return


async def _enter(client: httpx.AsyncClient, flow_run_id: str, state: str, account: Account) -> None:
    body = {"state": {"type": state, "name": state.title()}}
    verdict = await accepted(client, f"/flow_runs/{flow_run_id}/set_state", body)
    assert verdict["status"] == "ACCEPT", verdict
    account.note_flow_run_state(flow_run_id, verdict["state"]["id"])


def _lines(flow_run_id: str, batch: str) -> list[dict[str, Any]]:
    common = {"name": batch, "level": 20, "flow_run_id": flow_run_id, "timestamp": datetime.now(UTC).isoformat()}
    return [{**common, "message": f"line {number}"} for number in range(LINES_AT_ONCE)]


async def _report_tasks(api_url: str, flow_run_id: str, account: Account) -> None:
    try:
        async with websocket(api_url, "/events/in") as socket:
            await authenticate(socket)
            while True:
                reports = [
                    await _report(socket, flow_run_id, task_run_id, state)
                    for task_run_id in [str(uuid4()) for _ in range(_TASKS_BETWEEN_PINGS)]
                    for state in ("PENDING", "RUNNING", "COMPLETED")
                ]
                await (await socket.ping())
                account.note_task_run_states(reports)
    except (ConnectionClosed, OSError):
        return


async def _report(socket: ClientConnection, flow_run_id: str, task_run_id: str, state: str) -> tuple[str, str]:
    event_id = str(uuid4())
    event = {
        "id": event_id,
        "occurred": datetime.now(UTC).isoformat(),
        "event": f"prefect.task-run.{state.title()}",
        "resource": {"prefect.resource.id": f"prefect.task-run.{task_run_id}", "prefect.orchestration": "client"},
        "related": [
            {"prefect.resource.id": f"prefect.flow-run.{flow_run_id}", "prefect.resource.role": "flow-run"},
        ],
        "payload": {
            "task_run": {"name": "task", "task_key": "task", "dynamic_key": task_run_id},
            "validated_state": {"type": state, "name": state.title()},
        },
    }
    await socket.send(json.dumps(event))
    return task_run_id, event_id
