"""Measures task runs as the client reports them: events over the websocket, until all can be read back by the API."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from benchmarks import calls
from benchmarks.figures import Batch
from benchmarks.load import AFTERMATH, Reading, Tally
from benchmarks.servers import API, Target
from benchmarks.wire import Connection

STATES = ("PENDING", "RUNNING", "COMPLETED")
WAVE = 20
"""Task runs that are sent at once, before they are waited for."""
PATIENCE = 30.0
"""Seconds after which task runs that cannot be read count as lost."""


async def measure_task_events(target: Target, seconds: float) -> Batch:
    """Send waves of task runs with three events each; an operation is a task run that can be read as Completed."""
    tally = Tally()
    async with target.connection() as connection:
        flow_run = await calls.make_run(connection, await calls.make_flow(connection, "bench-tasks"))
        async with _events_socket(target) as socket:
            await _shake_hands(socket)
            reading = await Reading.begin(target.meter, AFTERMATH)
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline and not tally.refused:
                await _send_wave(connection, socket, flow_run, tally)
    return await reading.end(tally)


async def _send_wave(connection: Connection, socket: ClientConnection, flow_run: str, tally: Tally) -> None:
    task_runs = [str(uuid.uuid4()) for _ in range(WAVE)]
    for task_run in task_runs:
        for event in task_run_events(flow_run, task_run):
            await socket.send(json.dumps(event))
    await (await socket.ping())
    readable = await _readable(connection, task_runs)
    tally.accepted += readable
    if readable < WAVE:
        tally.refused[0] += WAVE - readable


def task_run_events(flow_run: str, task_run: str) -> Iterator[dict[str, Any]]:
    """The events of one task run in the form the client sends them."""
    began = occurred = datetime.now(UTC) - timedelta(seconds=1)
    follows = None
    for before, state in itertools.pairwise((None, *STATES)):
        event_id = str(uuid.uuid4())
        at = occurred.isoformat().replace("+00:00", "Z")
        yield {
            "id": event_id,
            "occurred": at,
            "event": f"prefect.task-run.{str(state).title()}",
            "resource": {
                "prefect.resource.id": f"prefect.task-run.{task_run}",
                "prefect.resource.name": "double-bb9",
                "prefect.run-count": "1",
                "prefect.state-message": "",
                "prefect.state-name": str(state).title(),
                "prefect.state-timestamp": at,
                "prefect.state-type": state,
                "prefect.orchestration": "client",
            },
            "related": [
                {"prefect.resource.id": f"prefect.flow-run.{flow_run}", "prefect.resource.role": "flow-run"},
            ],
            "payload": {
                "intended": {"from": before, "to": state},
                "initial_state": {"type": before, "name": before.title(), "message": ""} if before else None,
                "validated_state": {
                    "type": state,
                    "name": str(state).title(),
                    "message": "",
                    "state_details": {},
                    "data": None,
                },
                "task_run": _task_run(task_run, began, state),
            },
            "follows": follows,
        }
        follows, occurred = event_id, occurred + timedelta(milliseconds=5)


def _task_run(task_run: str, began: datetime, state: str | None) -> dict[str, Any]:
    return {
        "name": "double-bb9",
        "task_key": "double-4d960cec",
        "dynamic_key": task_run,
        "empirical_policy": {"retries": 1, "retry_delay": 0},
        "tags": ["bench"],
        "labels": {},
        "task_inputs": {"x": []},
        "run_count": 0 if state == "PENDING" else 1,
        "flow_run_run_count": 1,
        "expected_start_time": began.isoformat(),
        "start_time": None if state == "PENDING" else began.isoformat(),
        "total_run_time": 0.0,
    }


def _events_socket(target: Target) -> connect:
    url = f"ws://{target.host}:{target.port}{API}/events/in"
    return connect(url, subprotocols=[Subprotocol("prefect")], compression=None, proxy=None)


async def _shake_hands(socket: ClientConnection) -> None:
    await socket.send(json.dumps({"type": "auth", "token": None}))
    answer = json.loads(await socket.recv())
    if answer.get("type") != "auth_success":
        message = f"/events/in answered {answer} to auth"
        raise calls.UnexpectedAnswerError(message)


async def _readable(connection: Connection, task_runs: list[str]) -> int:
    """How many can be read, at the latest when all can: asks for the last one, so the asking costs little."""
    criteria = {"task_runs": {"id": {"any_": task_runs}, "state": {"type": {"any_": ["COMPLETED"]}}}}
    last = calls.post("/task_runs/filter", criteria | {"limit": 1, "offset": len(task_runs) - 1}, 200)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if await calls.call(connection, last):
            return len(task_runs)
        await asyncio.sleep(0.05)
    return int(await calls.call(connection, calls.post("/task_runs/count", criteria, 200)))
