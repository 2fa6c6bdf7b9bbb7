"""The requests of a stock client that the benchmark sends: bodies, paths, and a few calls that need their answers."""

from __future__ import annotations

import asyncio
import itertools
import json
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from benchmarks.wire import Connection, Request

Body = dict[str, Any]
RETRY_PAUSES = (0.05, 0.2, 0.5, 1, 2, 4)
"""Seconds to wait after a 503: the reference gives one whenever its database is busy with its own loops."""
_numbers = itertools.count()


class UnexpectedAnswerError(Exception):
    """A server did not answer a call that has to work for the measurement to mean anything."""


async def call(connection: Connection, request: Request) -> Any:
    """Send and parse the answer, again after a 503 as the client would; UnexpectedAnswerError for any other status."""
    answer = await connection.send(request)
    for pause in RETRY_PAUSES:
        if answer.status != HTTPStatus.SERVICE_UNAVAILABLE:
            break
        await asyncio.sleep(pause)
        answer = await connection.send(request)
    if answer.status not in request.expected:
        message = f"{request.method} {request.path}: {answer.status} {answer.body[:300]!r}"
        raise UnexpectedAnswerError(message)
    return json.loads(answer.body) if answer.body else None


def post(path: str, body: Body | list[Body], *expected: int) -> Request:
    """A POST with a JSON body; any success counts where no statuses are given."""
    return Request("POST", path, json.dumps(body).encode(), expected or (200, 201, 204))


def create_run(flow_id: str, *, scheduled_for: datetime | None = None) -> Request:
    """Make a flow run as the client does: Pending, or Scheduled where an instant is given."""
    details = {"scheduled_time": scheduled_for.isoformat()} if scheduled_for else {}
    kind = "SCHEDULED" if scheduled_for else "PENDING"
    body = {
        "flow_id": flow_id,
        "name": f"bench-run-{next(_numbers)}",
        "parameters": {"x": 1, "name": "Marvin", "nested": {"a": [1, 2, 3]}},
        "context": {},
        "tags": ["bench", "team-a"],
        "empirical_policy": {"retries": 0, "retry_delay": 0},
        "state": {"type": kind, "name": kind.title(), "message": None, "state_details": details},
    }
    return post("/flow_runs/", body, 201)


def to_state(run_id: str, state: str) -> Request:
    """Propose a state for a flow run; only 201, the accepted transition, counts."""
    body = {"state": {"type": state, "name": state.title(), "message": None, "state_details": {}}, "force": False}
    return post(f"/flow_runs/{run_id}/set_state", body, 201)


def in_state(*states: str) -> Body:
    """A filter for flow runs in one of the states."""
    return {"flow_runs": {"state": {"type": {"any_": list(states)}}}}


def history(window: timedelta) -> Request:
    """The history of everything, `window` to both sides of now, in 96 intervals."""
    now = datetime.now(UTC)
    body = {
        "history_start": (now - window).isoformat(),
        "history_end": (now + window).isoformat(),
        "history_interval_seconds": 2 * window.total_seconds() / 96,
    }
    return post("/flow_runs/history", body, 200)


def logs(run_id: str, lines: int) -> Request:
    """So many log lines of a flow run in one request."""
    now = datetime.now(UTC).isoformat()
    line = {"name": "prefect.flow_runs", "level": 20, "timestamp": now, "flow_run_id": run_id}
    batch = [line | {"message": f"line {number} of a batch: all is well"} for number in range(lines)]
    return post("/logs/", batch, 201)


async def make_flow(connection: Connection, name: str) -> str:
    """The id of the flow of that name, made if need be."""
    return str((await call(connection, post("/flows/", {"name": name})))["id"])


async def make_run(connection: Connection, flow_id: str, *, scheduled_for: datetime | None = None) -> str:
    """The id of a new flow run."""
    return str((await call(connection, create_run(flow_id, scheduled_for=scheduled_for)))["id"])


async def set_state(connection: Connection, run_id: str, state: str) -> None:
    """Bring a flow run into a state; UnexpectedAnswerError when the server does not accept it."""
    await call(connection, to_state(run_id, state))


async def count_runs(connection: Connection, criteria: Body) -> int:
    """How many flow runs fit."""
    return int(await call(connection, post("/flow_runs/count", criteria, 200)))


async def run_ids(connection: Connection, limit: int) -> list[str]:
    """Ids of some of the finished flow runs."""
    body = {"limit": limit, "sort": "START_TIME_DESC", **in_state("COMPLETED")}
    return [str(run["id"]) for run in await call(connection, post("/flow_runs/filter", body, 200))]
