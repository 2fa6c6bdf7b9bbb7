"""What is old, and what deleted runs have left, is deleted a little at a time."""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select

from lightwell.contract.logs import LogCreate
from lightwell.events.facts import Fact
from lightwell.kit.ids import new_id
from lightwell.loops import deleted_logs, old_events, old_flow_runs, old_logs
from lightwell.operations.retention import delete_ended, trim_ended
from lightwell.storage import flow_runs, leases, logs, tables
from lightwell.storage.database import Database
from lightwell.storage.ended_flow_runs import EndedFlowRun
from lightwell.storage.leases import Holder
from lightwell.storage.transaction import Reader, Transaction
from tests.storage.rows import making
from tests.storage.rows.making import NOON, minutes
from tests.timed import MovingClock

WEEK = timedelta(days=7)
OLD = -7 * 24 * 60 - 1.0
TABLES = ("flow_run", "flow_run_state", "task_run", "task_run_state", "log", "event", "event_resource")


def _counts(reader: Reader) -> dict[str, int]:
    named = {name: getattr(tables, name) for name in TABLES}
    return {name: reader.execute(select(func.count()).select_from(table)).scalar_one() for name, table in named.items()}


def _ended(tx: Transaction, flow_id: UUID, at: float = OLD, kind: str = "COMPLETED", task_runs: int = 2) -> UUID:
    run = making.flow_run(tx, flow_id, making.state(kind, minutes(at)), end_time=minutes(at))
    for number in range(task_runs):
        making.task_run(tx, run, f"task-{number}", making.state("COMPLETED"))
    _say(tx, run, [at] * 3)
    return run


def _say(tx: Transaction, run: UUID | None, at: Iterable[float]) -> None:
    logs.insert(
        tx,
        [
            LogCreate(name="prefect", level=20, message="said", timestamp=minutes(moment), flow_run_id=run)
            for moment in at
        ],
    )


async def _old_runs(store: Database, clock: MovingClock, batch_size: int = 200) -> int:
    return await old_flow_runs.tick(store, clock, age=WEEK, batch_size=batch_size)


@pytest.mark.parametrize("kind", ["COMPLETED", "FAILED", "CANCELLED", "CRASHED"])
async def test_a_run_that_ended_long_ago_goes_with_all_that_is_its_own(
    kind: str, store: Database, clock: MovingClock
) -> None:
    """Task runs and states at once, log lines with the loop that looks for them; a younger one stays."""
    flow_id = await store.write(making.flow)
    await store.write(_ended, flow_id, OLD, kind)
    kept = await store.write(_ended, flow_id, OLD + 2, kind)

    assert await _old_runs(store, clock) == 1
    assert await deleted_logs.tick(store, clock, batch_size=200) == 3

    assert await store.read(_counts) == {
        **dict.fromkeys(TABLES, 0), "flow_run": 1, "flow_run_state": 1, "task_run": 2, "task_run_state": 2, "log": 3
    }  # fmt: skip
    assert await store.read(flow_runs.find, kept) is not None
    assert [await _old_runs(store, clock), await deleted_logs.tick(store, clock, batch_size=200)] == [0, 0]


async def test_a_run_that_has_not_ended_stays(store: Database, clock: MovingClock) -> None:
    """However old it is; also one that was started again, when it is its turn."""

    def made(tx: Transaction) -> list[UUID]:
        flow_id = making.flow(tx)
        kinds = ("SCHEDULED", "PENDING", "RUNNING", "PAUSED", "CANCELLING")
        return [_ended(tx, flow_id, OLD, kind) for kind in kinds]

    runs = await store.write(made)
    before = await store.read(_counts)
    assert await _old_runs(store, clock) == 0
    assert await store.write(delete_ended, [EndedFlowRun(run, 1) for run in runs], NOON - WEEK) == 0
    assert await store.write(trim_ended, 10, runs[0], NOON - WEEK) == 0
    assert await store.read(_counts) == before


async def test_a_subflow_stays_as_long_as_its_parent(store: Database, clock: MovingClock) -> None:
    """And goes with it, in the same tick."""

    def made(tx: Transaction) -> tuple[UUID, UUID]:
        flow_id = making.flow(tx)
        parent = making.flow_run(tx, flow_id, making.state("RUNNING"))
        task = making.task_run(tx, parent, "subflow", making.state("COMPLETED"))
        subflow = _ended(tx, flow_id)
        flow_runs.update(tx, subflow, {"parent_task_run_id": task})
        return parent, subflow

    parent, subflow = await store.write(made)
    assert await _old_runs(store, clock) == 0
    await store.write(flow_runs.update, parent, {"state_type": "COMPLETED", "end_time": minutes(OLD)})
    assert await _old_runs(store, clock) == 2
    assert await store.read(flow_runs.find, subflow) is None


@pytest.mark.parametrize("batch_size", [1, 7, 200])
async def test_a_large_run_goes_bit_by_bit(batch_size: int, store: Database, clock: MovingClock) -> None:
    """Whatever the size of a batch, and gives back what its task runs held."""

    def made(tx: Transaction) -> None:
        flow_id = making.flow(tx)
        run = _ended(tx, flow_id, task_runs=450)
        for minute in range(20):
            flow_runs.append_state(tx, run, making.state("COMPLETED", minutes(OLD + minute / 100)))
        task = tx.execute(select(tables.task_run.c.id).limit(1)).scalar_one()
        leases.acquire(tx, new_id(), [], 1, lifetime=None, holder=Holder("task_run", task))
        for _ in range(50):
            _ended(tx, flow_id, task_runs=1)

    await store.write(made)
    assert await _old_runs(store, clock, batch_size) == 51
    assert await deleted_logs.tick(store, clock, batch_size=batch_size) >= 3 * 51
    assert await store.read(_counts) == dict.fromkeys(TABLES, 0)
    held = select(func.count()).select_from(tables.concurrency_lease)
    assert await store.read(lambda reader: reader.execute(held).scalar_one()) == 0


async def test_old_lines_are_deleted(store: Database, clock: MovingClock) -> None:
    """The younger ones of the same run stay."""

    def made(tx: Transaction) -> None:
        run = making.flow_run(tx, making.flow(tx), making.state("RUNNING"))
        _say(tx, run, [OLD] * 300)
        _say(tx, None, [OLD] * 300)
        _say(tx, run, [OLD + 2] * 10)

    await store.write(made)
    assert await old_logs.tick(store, clock, age=WEEK, batch_size=64) == 600
    assert await store.read(logs.count) == 10
    assert await old_logs.tick(store, clock, age=WEEK, batch_size=64) == 0


async def test_old_events_are_deleted(store: Database, clock: MovingClock) -> None:
    """With the resources that they were about; younger ones stay."""

    def told(tx: Transaction, at: float, number: int) -> None:
        for _ in range(number):
            tx.emit(
                Fact(
                    id=new_id(),
                    occurred=minutes(at),
                    event="prefect.test",
                    resource={"prefect.resource.id": "test.1"},
                    related=[{"prefect.resource.id": "test.2", "prefect.resource.role": "other"}],
                )
            )

    await store.write(told, OLD, 300)
    await store.write(told, OLD + 2, 5)
    assert await old_events.tick(store, clock, age=WEEK, batch_size=64) == 300
    counts = await store.read(_counts)
    assert (counts["event"], counts["event_resource"]) == (5, 10)
    assert await old_events.tick(store, clock, age=WEEK, batch_size=64) == 0


async def test_deleted_runs_without_lines_are_forgotten(store: Database, clock: MovingClock) -> None:
    """So that nobody looks for them again."""

    def made(tx: Transaction) -> None:
        flow_id = making.flow(tx)
        runs = [making.flow_run(tx, flow_id) for _ in range(40)]
        flow_runs.delete(tx, runs)

    await store.write(made)
    assert await deleted_logs.tick(store, clock, batch_size=30) == 40
    assert await deleted_logs.tick(store, clock, batch_size=30) == 0
