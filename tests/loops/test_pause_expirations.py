"""Flow runs that nobody has resumed in time."""

from uuid import UUID

from lightwell.contract.states import StateType
from lightwell.loops import pause_expirations
from lightwell.operations.expired_pauses import fail_expired
from lightwell.orchestration.transition import Tuning
from lightwell.storage import flow_run_states, flow_runs, task_runs
from lightwell.storage.database import Database
from lightwell.storage.transaction import Transaction
from tests.storage.rows import making
from tests.storage.rows.making import minutes
from tests.timed import MovingClock


def _paused(tx: Transaction, flow_id: UUID, until: float | None, parent: UUID | None = None) -> UUID:
    timeout = None if until is None else minutes(until)
    state = making.state("PAUSED", pause_timeout=timeout, pause_key="key")
    return making.flow_run(tx, flow_id, state, parent_task_run_id=parent)


async def _tick(store: Database, clock: MovingClock) -> int:
    return await pause_expirations.tick(store, clock, batch_size=100, tuning=Tuning())


async def test_a_pause_that_is_over_fails_the_run(store: Database, clock: MovingClock) -> None:
    """When its own timeout has passed, not at it; and once."""
    flow_id = await store.write(making.flow)
    run = await store.write(_paused, flow_id, 5)
    clock.move(minutes=5)
    assert await _tick(store, clock) == 0
    clock.move(seconds=1)

    assert [await _tick(store, clock), await _tick(store, clock)] == [1, 0]

    found = await store.read(flow_runs.get, run)
    assert found.state is not None
    assert found.state.type is StateType.FAILED
    assert found.state.message == "The flow was paused and never resumed."
    assert found.end_time == clock.now()
    assert [state.name for state in await store.read(flow_run_states.select, run)] == ["Paused", "Failed"]


async def test_a_pause_without_an_end_has_none(store: Database, clock: MovingClock) -> None:
    """Nor does one that ends later, or a run that runs again."""
    flow_id = await store.write(making.flow)
    kept = [await store.write(_paused, flow_id, None), await store.write(_paused, flow_id, 90)]
    resumed = await store.write(_paused, flow_id, 1)
    await store.write(flow_runs.append_state, resumed, making.state("RUNNING", minutes(0.5)))
    clock.move(hours=1)
    assert await _tick(store, clock) == 0
    assert await store.write(fail_expired, [*kept, resumed], Tuning()) == 0


async def test_the_parent_of_a_subflow_is_told(store: Database, clock: MovingClock) -> None:
    """Its task run fails with it."""

    def inside(tx: Transaction) -> tuple[UUID, UUID]:
        flow_id = making.flow(tx)
        parent = making.flow_run(tx, flow_id, making.state("RUNNING"))
        task = making.task_run(tx, parent, "subflow", making.state("PAUSED"))
        return task, _paused(tx, flow_id, 1, task)

    task, _ = await store.write(inside)
    clock.move(minutes=2)
    assert await _tick(store, clock) == 1
    assert (await store.read(task_runs.get, task)).state_type == "FAILED"
