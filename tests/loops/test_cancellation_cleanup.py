"""What cancellations of flow runs have left."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from lightwell.contract.states import StateType
from lightwell.loops import cancellation_cleanup
from lightwell.operations.cancellations import cancel_subflow_runs, cancel_task_runs
from lightwell.orchestration.transition import Tuning
from lightwell.storage import flow_run_states, flow_runs, task_runs
from lightwell.storage.database import Database
from lightwell.storage.transaction import Transaction
from tests.storage.rows import making
from tests.storage.rows.making import NOON, minutes
from tests.timed import MovingClock

UNDER_WAY = ("SCHEDULED", "PENDING", "RUNNING", "PAUSED", "CANCELLING")


async def _tick(store: Database, clock: MovingClock) -> int:
    timeout = timedelta(minutes=5)
    return await cancellation_cleanup.tick(store, clock, cancelling_timeout=timeout, batch_size=100, tuning=Tuning())


def _cancelled(tx: Transaction, flow_id: UUID, at: float = 0) -> UUID:
    return making.flow_run(tx, flow_id, making.state("CANCELLED", minutes(at)), end_time=minutes(at))


def _subflow(tx: Transaction, parent: UUID, flow_id: UUID, kind: str, **values: Any) -> UUID:
    task = making.task_run(tx, parent, f"subflow-{kind}", making.state(kind))
    return making.flow_run(tx, flow_id, making.state(kind), parent_task_run_id=task, **values)


async def test_task_runs_of_a_cancelled_run_are_cancelled(store: Database, clock: MovingClock) -> None:
    """Whatever they do; those that have ended stay as they are, and those of other runs."""

    def made(tx: Transaction) -> tuple[list[UUID], list[UUID]]:
        flow_id = making.flow(tx)
        run, other = _cancelled(tx, flow_id), making.flow_run(tx, flow_id, making.state("RUNNING"))
        due = [making.task_run(tx, run, kind, making.state(kind)) for kind in UNDER_WAY]
        ended = [making.task_run(tx, run, kind, making.state(kind)) for kind in ("COMPLETED", "FAILED", "CRASHED")]
        return due, [*ended, making.task_run(tx, other, "other", making.state("RUNNING"))]

    due, kept = await store.write(made)
    before = [(await store.read(task_runs.get, run)).state for run in kept]

    assert [await _tick(store, clock), await _tick(store, clock)] == [len(UNDER_WAY), 0]

    states = [(await store.read(task_runs.get, run)).state for run in due]
    assert {state and state.type for state in states} == {StateType.CANCELLED}
    assert {state and state.message for state in states} == {"The flow run around it was cancelled."}
    assert [(await store.read(task_runs.get, run)).state for run in kept] == before


async def test_runs_cancelled_long_ago_are_not_looked_into(store: Database, clock: MovingClock) -> None:
    """Only those of the last day."""

    def made(tx: Transaction) -> UUID:
        run = _cancelled(tx, making.flow(tx), at=-24 * 60 - 1)
        return making.task_run(tx, run, "task", making.state("RUNNING"))

    task = await store.write(made)
    assert await _tick(store, clock) == 0
    assert (await store.read(task_runs.get, task)).state_type == "RUNNING"


@pytest.mark.parametrize("kind", UNDER_WAY)
async def test_a_subflow_of_a_cancelled_run_is_cancelled(kind: str, store: Database, clock: MovingClock) -> None:
    """At once, when it runs in its parent's process; and its task run in the parent with it."""

    def made(tx: Transaction) -> UUID:
        flow_id = making.flow(tx)
        return _subflow(tx, _cancelled(tx, flow_id), flow_id, kind)

    run = await store.write(made)
    await _tick(store, clock)

    found = await store.read(flow_runs.get, run)
    assert found.state is not None
    assert (found.state.type, found.state.message) == (StateType.CANCELLED, "The flow run around it was cancelled.")
    assert found.parent_task_run_id is not None
    assert (await store.read(task_runs.get, found.parent_task_run_id)).state_type == "CANCELLED"
    assert await _tick(store, clock) == 0


async def test_a_subflow_with_a_deployment_is_asked_to_stop(store: Database, clock: MovingClock) -> None:
    """Its worker has to do it; once it is asked, it is not asked again; one that never started is cancelled at once."""

    def made(tx: Transaction) -> list[UUID]:
        flow_id = making.flow(tx)
        parent, deployment = _cancelled(tx, flow_id), making.deployed(tx, flow_id, "nightly")
        return [_subflow(tx, parent, flow_id, kind, deployment_id=deployment) for kind in ("RUNNING", "SCHEDULED")]

    runs = await store.write(made)
    await _tick(store, clock)
    await _tick(store, clock)

    names = [[state.name for state in await store.read(flow_run_states.select, run)] for run in runs]
    assert names == [["Running", "Cancelling"], ["Scheduled", "Cancelled"]]


async def test_a_cancelled_run_takes_what_is_inside_of_what_is_inside(store: Database, clock: MovingClock) -> None:
    """In one tick, however deep."""

    def made(tx: Transaction) -> list[UUID]:
        flow_id = making.flow(tx)
        runs = [_cancelled(tx, flow_id)]
        for _ in range(3):
            runs.append(_subflow(tx, runs[-1], flow_id, "RUNNING"))
        return runs

    runs = await store.write(made)
    await _tick(store, clock)
    assert [(await store.read(flow_runs.get, run)).state_type for run in runs] == ["CANCELLED"] * 4


async def test_what_is_inside_of_others_goes_on(store: Database, clock: MovingClock) -> None:
    """Of a run that runs, that is being cancelled, or that was started again meanwhile."""

    def made(tx: Transaction) -> tuple[list[UUID], list[UUID]]:
        flow_id = making.flow(tx)
        parents = [making.flow_run(tx, flow_id, making.state(kind)) for kind in ("RUNNING", "CANCELLING", "FAILED")]
        subflows = [_subflow(tx, parent, flow_id, "RUNNING") for parent in parents]
        return subflows, [making.task_run(tx, parent, "task", making.state("RUNNING")) for parent in parents]

    subflows, tasks = await store.write(made)
    assert await _tick(store, clock) == 0
    assert await store.write(cancel_subflow_runs, subflows, Tuning()) == 0
    assert await store.write(cancel_task_runs, tasks, NOON - timedelta(days=1), Tuning()) == 0


async def test_a_cancellation_that_nobody_confirms_ends(store: Database, clock: MovingClock) -> None:
    """After the timeout, not before; then all that it left inside goes in the same tick."""

    def made(tx: Transaction) -> tuple[UUID, UUID]:
        run = making.flow_run(tx, making.flow(tx), making.state("CANCELLING"))
        return run, making.task_run(tx, run, "task", making.state("RUNNING"))

    run, task = await store.write(made)
    clock.move(minutes=4, seconds=59)
    assert await _tick(store, clock) == 0
    clock.move(seconds=1)

    assert await _tick(store, clock) == 2

    found = await store.read(flow_runs.get, run)
    assert found.state is not None
    assert found.state.type is StateType.CANCELLED
    assert found.state.message == "Nobody confirmed in time that the run has stopped."
    assert (await store.read(task_runs.get, task)).state_type == "CANCELLED"
    assert await _tick(store, clock) == 0
