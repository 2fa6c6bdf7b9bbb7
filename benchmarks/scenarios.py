"""The contents page of what is measured on a running server; starting is in lifecycle.py."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from benchmarks import calls, load
from benchmarks.figures import Batch
from benchmarks.seeding import WINDOW
from benchmarks.servers import Target
from benchmarks.task_events import measure_task_events
from benchmarks.wire import Request

LOG_LINES = 100
"""Lines in one log request."""

EVERYTHING = 1_000_000_000
"""A cycle that ends with the stream. Runs that were left Scheduled would be marked Late by the loops of the server, in
batches that have nothing to do with them."""

Plan = Callable[[Target, float], Awaitable[Iterator[Request]]]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One question to both servers."""

    name: str
    unit: str
    """What one operation is."""
    measure: Callable[[Target, float], Awaitable[Batch]]
    """Runs one batch of about so many seconds."""
    goal: float | None = None
    """How many times less CPU than the reference Lightwell is to use."""


def requests(
    name: str,
    plan: Plan,
    *,
    goal: float | None = None,
    unit: str = "request",
    connections: int = 1,
    aftermath: float = 0.0,
    cycle: int = 1,
) -> Scenario:
    """A scenario that is a stream of requests; what the plan itself sends is not measured."""

    async def measure(target: Target, seconds: float) -> Batch:
        stream = await plan(target, seconds)
        return await load.measure(
            target, stream, seconds=seconds, cycle=cycle, connections=connections, aftermath=aftermath
        )

    return Scenario(name, unit, measure, goal)


async def _health(_target: Target, _seconds: float) -> Iterator[Request]:
    return itertools.repeat(Request("GET", "/health"))


async def _read(target: Target, _seconds: float) -> Iterator[Request]:
    async with target.connection() as connection:
        ids = await calls.run_ids(connection, 200)
    return itertools.cycle([Request("GET", f"/flow_runs/{run_id}") for run_id in ids])


async def _filter(_target: Target, _seconds: float) -> Iterator[Request]:
    page = {"limit": 50, "offset": 0}
    bodies = [
        {"sort": "START_TIME_DESC"},
        {"sort": "EXPECTED_START_TIME_DESC", **calls.in_state("COMPLETED", "FAILED")},
        {"sort": "START_TIME_DESC", "flows": {"name": {"any_": ["bench-1"]}}},
        {"sort": "EXPECTED_START_TIME_ASC", "flow_runs": {"tags": {"all_": ["team-a"]}}},
    ]
    return itertools.cycle([calls.post("/flow_runs/filter", page | body, 200) for body in bodies])


async def _count(_target: Target, _seconds: float) -> Iterator[Request]:
    yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    bodies = [
        {},
        calls.in_state("FAILED"),
        {"flow_runs": {"start_time": {"after_": yesterday}}},
        {"flows": {"name": {"any_": ["bench-2"]}}},
    ]
    return itertools.cycle([calls.post("/flow_runs/count", body, 200) for body in bodies])


async def _history(_target: Target, _seconds: float) -> Iterator[Request]:
    return itertools.repeat(calls.history(WINDOW))


async def _create(target: Target, _seconds: float) -> Iterator[Request]:
    async with target.connection() as connection:
        flow_id = await calls.make_flow(connection, "bench-create")
    return (calls.create_run(flow_id) for _ in itertools.count())


async def _set_state(target: Target, seconds: float) -> Iterator[Request]:
    async with target.connection() as connection:
        flow_id = await calls.make_flow(connection, "bench-set-state")
        # A third of the time, because each run is then brought into three states.
        enough = datetime.now(UTC) + timedelta(seconds=seconds / 3)
        ids = []
        while datetime.now(UTC) < enough:
            ids.append(await calls.make_run(connection, flow_id, scheduled_for=datetime.now(UTC)))
    await target.meter.finished(load.AFTERMATH)
    return (calls.to_state(run_id, state) for run_id in ids for state in ("PENDING", "RUNNING", "COMPLETED"))


async def _logs(target: Target, _seconds: float) -> Iterator[Request]:
    async with target.connection() as connection:
        run_id = await calls.make_run(connection, await calls.make_flow(connection, "bench-logs"))
    return itertools.repeat(calls.logs(run_id, LOG_LINES))


SCENARIOS = (
    requests("health", _health),
    requests("read", _read, goal=6),
    requests("filter", _filter, goal=6, cycle=4),
    requests("count", _count, cycle=4),
    requests("history", _history),
    requests("create", _create, goal=10, aftermath=load.AFTERMATH),
    requests("set_state", _set_state, goal=10, aftermath=load.AFTERMATH, cycle=EVERYTHING),
    Scenario("task_events", "task run (3 events)", measure_task_events, 10),
    requests("logs", _logs, unit=f"request of {LOG_LINES} lines", aftermath=load.AFTERMATH),
    requests("create_8", _create, connections=8, unit="request, 8 connections", aftermath=load.AFTERMATH),
    requests("create_64", _create, connections=64, unit="request, 64 connections", aftermath=load.AFTERMATH),
)
"""In the order in which they run: first those that only read the seeded runs, then those that add to them."""
