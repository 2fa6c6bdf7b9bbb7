"""Several servers on one PostgreSQL: everything that is due is done, and done once."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from lightwell.events.bus import Bus
from lightwell.events.facts import Fact
from lightwell.instrumentation.roots import Tracing
from lightwell.instrumentation.ticks import Ticks
from lightwell.loops import loops_of
from lightwell.loops.runner import Runner
from lightwell.orchestration.transition import Tuning
from lightwell.settings.loops import (
    CancellationCleanupSettings,
    LateRunsSettings,
    LoopSettings,
    PauseExpirationsSettings,
    RetentionSettings,
)
from lightwell.storage import tables
from lightwell.storage.database import Database
from lightwell.storage.transaction import Reader, Transaction
from tests.loops.conftest import opened
from tests.storage.rows import making
from tests.storage.rows.making import minutes
from tests.timed import MovingClock

EACH = 40
OFTEN = timedelta(milliseconds=100)
SETTINGS = LoopSettings(
    late_runs=LateRunsSettings(period=OFTEN, batch_size=7),
    pause_expirations=PauseExpirationsSettings(period=OFTEN, batch_size=7),
    cancellation_cleanup=CancellationCleanupSettings(period=OFTEN, batch_size=7),
    retention=RetentionSettings(period=OFTEN, batch_size=7, runs=timedelta(days=1)),
)
PATIENCE = 60.0


@asynccontextmanager
async def _server(url: str, clock: MovingClock, told: list[Fact]) -> AsyncIterator[Database]:
    bus = Bus()
    bus.subscribe(told.extend)
    database = opened(url, clock, bus)
    await database.start()
    runner = Runner(loops_of(SETTINGS, Tuning()), database, clock, Ticks(Tracing()))
    runner.start()
    try:
        yield database
    finally:
        await runner.stop()
        await database.stop()


def _populate(tx: Transaction) -> dict[str, list[UUID]]:
    flow_id = making.flow(tx)
    late = making.state
    made: dict[str, list[UUID]] = {"late": [], "paused": [], "stuck": [], "old": []}
    for _ in range(EACH):
        due = {"next_scheduled_start_time": minutes(-5), "expected_start_time": minutes(-5)}
        made["late"].append(making.flow_run(tx, flow_id, late("SCHEDULED", minutes(-9)), **due))
        made["paused"].append(
            making.flow_run(tx, flow_id, making.state("PAUSED", minutes(-9), pause_timeout=minutes(-5)))
        )
        made["stuck"].append(making.flow_run(tx, flow_id, making.state("CANCELLING", minutes(-9))))
        old = minutes(-60 * 48)
        made["old"].append(making.flow_run(tx, flow_id, making.state("COMPLETED", old), end_time=old))
        making.task_run(tx, made["stuck"][-1], "task", making.state("RUNNING"))
        making.task_run(tx, made["old"][-1], "task", making.state("COMPLETED"))
    return made


def _names(reader: Reader, flow_run_ids: list[UUID]) -> Counter[tuple[str, int]]:
    """How many of the runs are in a state of this name, after so many states."""
    states = select(func.count()).where(tables.flow_run_state.c.flow_run_id == tables.flow_run.c.id)
    rows = reader.execute(
        select(tables.flow_run.c.state_name, states.correlate(tables.flow_run).scalar_subquery()).where(
            tables.flow_run.c.id.in_(flow_run_ids)
        )
    )
    return Counter((name, number) for name, number in rows)


def _unfinished(reader: Reader) -> int:
    unfinished = tables.flow_run.c.state_name.in_(["Scheduled", "Paused", "Cancelling", "Completed"])
    tasks = select(func.count()).where(tables.task_run.c.state_type == "RUNNING")
    runs = select(func.count()).select_from(tables.flow_run).where(unfinished)
    return int(reader.execute(runs).scalar_one()) + int(reader.execute(tasks).scalar_one())


async def _until(done: Callable[[], Any]) -> None:
    give_up = time.monotonic() + PATIENCE
    while not await done():
        assert time.monotonic() < give_up, "it was not done in time"
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("servers", [2])
async def test_everything_is_done_once(servers: int, postgres_url: str, clock: MovingClock) -> None:
    """One new state for each run that is due, one event for each state; what is old is gone."""
    seeding = opened(postgres_url, clock)
    await seeding.start()
    made = await seeding.write(_populate)
    told: list[Fact] = []
    async with AsyncExitStack() as stack:
        for _ in range(servers):
            await stack.enter_async_context(_server(postgres_url, clock, told))

        async def is_done() -> bool:
            return await seeding.read(_unfinished) == 0

        await _until(is_done)
    found = {kind: await seeding.read(_names, runs) for kind, runs in made.items()}
    await seeding.stop()
    assert found == {
        "late": {("Late", 2): EACH},
        "paused": {("Failed", 2): EACH},
        "stuck": {("Cancelled", 2): EACH},
        "old": {},
    }
    assert Counter(fact.event for fact in told if fact.is_event) == {
        "prefect.flow-run.Late": EACH,
        "prefect.flow-run.Failed": EACH,
        "prefect.flow-run.Cancelled": EACH,
    }
