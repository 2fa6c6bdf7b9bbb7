"""How long others wait for SQLite's one writer while the loops have much to do."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from time import perf_counter
from uuid import UUID

import pytest

from lightwell.kit.ids import new_id
from lightwell.loops import old_flow_runs
from lightwell.storage import flow_runs, task_runs
from lightwell.storage.database import Database
from lightwell.storage.tables import flow_run, flow_run_state, task_run
from lightwell.storage.transaction import Transaction
from tests.loops.conftest import opened
from tests.storage.rows import making
from tests.storage.rows.making import minutes
from tests.timed import MovingClock

RUNS, TASKS, STATES = 4000, 2, 2
BOUND = 0.05
NOISE = 0.5
"""Other programs on the machine; deleting everything at once would take seconds."""


@pytest.fixture
async def store(sqlite_url: str, clock: MovingClock) -> AsyncIterator[Database]:
    """A started SQLite database."""
    database = opened(sqlite_url, clock)
    await database.start()
    yield database
    await database.stop()


def _populate(tx: Transaction) -> UUID:
    flow_id, old = making.flow(tx), minutes(-60 * 24 * 30)
    runs, tasks, states = [], [], []
    for number in range(RUNS):
        run = {
            **flow_runs._DEFAULTS,  # noqa: SLF001 -- many rows at once, which no verb does
            "id": new_id(),
            "created": old,
            "updated": old,
            "name": f"run-{number}",
            "flow_id": flow_id,
            "state_type": "COMPLETED",
            "end_time": old,
        }
        runs.append(run)
        tasks += [
            {
                **task_runs._DEFAULTS,  # noqa: SLF001 -- many rows at once, which no verb does
                "id": new_id(),
                "created": old,
                "updated": old,
                "name": "task",
                "flow_run_id": run["id"],
                "task_key": "task",
                "dynamic_key": str(key),
            }
            for key in range(TASKS)
        ]
        states += [
            {
                "id": new_id(),
                "flow_run_id": run["id"],
                "timestamp": old,
                "type": "COMPLETED",
                "name": "Completed",
                "state_details": {},
            }
            for _ in range(STATES)
        ]
    tx.execute(flow_run.insert(), runs)
    tx.execute(task_run.insert(), tasks)
    tx.execute(flow_run_state.insert(), states)
    return flow_id


def _write(tx: Transaction, flow_id: UUID) -> float:
    """What others do, and when it began."""
    began = perf_counter()
    making.flow_run(tx, flow_id, making.state("RUNNING"))
    return began


async def test_no_writer_waits_for_long_while_old_runs_are_deleted(store: Database, clock: MovingClock) -> None:
    """Twenty thousand rows go, and hardly a unit waits for more than 50 ms until it begins."""
    flow_id = await store.write(_populate)
    deletion = asyncio.ensure_future(old_flow_runs.tick(store, clock, age=timedelta(days=7), batch_size=200))
    waits = []
    while not deletion.done():
        asked = perf_counter()
        waits.append(await store.write(_write, flow_id) - asked)

    assert await deletion == RUNS
    waits.sort()
    assert len(waits) > 50
    assert waits[len(waits) * 95 // 100] < BOUND
    assert waits[-1] < BOUND + NOISE
