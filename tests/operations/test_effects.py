"""Each effect of a decision leaves its mark, and does nothing the second time, on both databases."""

from datetime import timedelta
from uuid import UUID

import pytest

from lightwell.contract.states import StateType
from lightwell.events.bus import Bus
from lightwell.events.facts import Fact
from lightwell.kit.ids import new_id
from lightwell.operations.effects import carry_out
from lightwell.orchestration.effects import (
    AcquireLease,
    Effect,
    EnqueueTaskRun,
    MirrorToParent,
    PinLease,
    ReleaseHolder,
    ReleaseLease,
    RenewLease,
    StoreCacheKey,
)
from lightwell.orchestration.transition import DEFAULTS
from lightwell.storage import concurrency_limits, leases, task_run_states, task_runs
from lightwell.storage.concurrency_limits import LimitRecord
from lightwell.storage.database import Database
from lightwell.storage.transaction import Transaction
from tests.storage.rows import making
from tests.storage.rows.making import minutes, state
from tests.timed import MovingClock

_MINUTE = timedelta(minutes=1)


@pytest.fixture
async def limits(store: Database) -> list[UUID]:
    """Two limits, one of which gives slots back by time."""

    def make(tx: Transaction, name: str, decay: float) -> LimitRecord:
        made = concurrency_limits.insert(tx, {"name": name, "limit": 4, "slot_decay_per_second": decay})
        assert made is not None
        return made

    return [(await store.write(make, name, decay)).id for name, decay in (("a", 0.0), ("b", 0.001))]


async def _do(store: Database, *effects: Effect) -> None:
    await store.write(carry_out, effects, DEFAULTS)


async def _taken(store: Database, limits: list[UUID]) -> list[int]:
    return [(await store.read(concurrency_limits.read, limit_id)).active_slots for limit_id in limits]


async def test_a_lease_is_acquired_renewed_pinned_and_released(
    store: Database, clock: MovingClock, limits: list[UUID]
) -> None:
    """One slot of each limit, for as long as it was said last."""
    lease_id, holder_id = new_id(), new_id()
    await _do(store, AcquireLease(lease_id, tuple(limits), _MINUTE, "flow_run", holder_id))
    assert await _taken(store, limits) == [1, 1]
    assert await store.read(leases.holders, limits, "flow_run") == {limit_id: [holder_id] for limit_id in limits}
    clock.move(seconds=30)
    await _do(store, RenewLease(lease_id, _MINUTE))
    clock.move(seconds=59)
    assert await store.write(leases.is_alive, lease_id)
    await _do(store, PinLease(lease_id))
    clock.move(seconds=500)
    assert await store.write(leases.is_alive, lease_id)
    await _do(store, ReleaseLease(lease_id), ReleaseLease(lease_id), PinLease(lease_id), RenewLease(lease_id, _MINUTE))
    assert await _taken(store, limits) == [0, 0]


async def test_a_lease_without_a_lifetime_is_the_holders_until_released(
    store: Database, clock: MovingClock, limits: list[UUID]
) -> None:
    """Whatever the leases of the holder are called, all are given back."""
    mine, other = new_id(), new_id()
    await _do(
        store,
        *(AcquireLease(new_id(), (limits[0],), None, "task_run", holder_id) for holder_id in (mine, mine, other)),
    )
    clock.move(seconds=10**8)
    assert (await _taken(store, limits))[0] == 3
    await _do(store, ReleaseHolder("task_run", mine), ReleaseHolder("task_run", mine))
    assert (await _taken(store, limits))[0] == 1


async def test_a_cache_key_is_stored_with_its_state(store: Database) -> None:
    """The state answers for the key until it expires."""
    completed = state("COMPLETED")
    await store.write(lambda tx: making.task_run(tx, None, "one", completed))
    await _do(store, StoreCacheKey("key", minutes(1), completed.id))
    assert await store.read(task_runs.find_cached_state, "key") == completed
    await _do(store, StoreCacheKey("key", minutes(0), completed.id))
    assert await store.read(task_runs.find_cached_state, "key") is None


async def test_a_parent_follows_its_subflow(store: Database, bus: Bus) -> None:
    """Its task run gets the state whatever it was in, counts its attempt, and no fact tells of it."""
    told: list[Fact] = []
    bus.subscribe(told.extend)
    task_run_id = await store.write(lambda tx: making.task_run(tx, None, "child", state("COMPLETED")))
    running = state("RUNNING", minutes(1), child_flow_run_id=new_id(), task_run_id=new_id())
    await _do(store, MirrorToParent(task_run_id, running))
    run = await store.read(task_runs.get, task_run_id)
    assert (run.state_id, run.state_type, run.run_count) == (running.id, StateType.RUNNING, 1)
    assert run.state is not None
    assert run.state.state_details.child_flow_run_id == running.state_details.child_flow_run_id
    assert run.state.state_details.task_run_id == task_run_id
    assert len(await store.read(task_run_states.select, task_run_id)) == 2
    assert not told


async def test_a_parent_that_ends_gives_its_slots_back(store: Database, limits: list[UUID]) -> None:
    """What a mirrored state asks for is done too."""
    task_run_id = await store.write(
        lambda tx: making.task_run(tx, None, "child", state("RUNNING"), tags=["a"], start_time=minutes(0))
    )
    await _do(store, AcquireLease(new_id(), (limits[0],), None, "task_run", task_run_id))
    await _do(store, MirrorToParent(task_run_id, state("FAILED", minutes(1))))
    assert (await _taken(store, limits))[0] == 0


async def test_what_is_gone_is_left_alone(store: Database) -> None:
    """A parent that was deleted, and a queue that has no entries of its own."""
    gone = new_id()
    await _do(store, MirrorToParent(gone, state("RUNNING")), EnqueueTaskRun(gone, is_retry=False))
    assert await store.read(task_runs.find, gone) is None
    assert await store.read(task_run_states.select, gone) == []
