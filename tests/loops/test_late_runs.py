"""Flow runs that should have started."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from lightwell.contract.states import State
from lightwell.events.bus import Bus
from lightwell.events.facts import Fact
from lightwell.kit.ids import new_id
from lightwell.loops import late_runs
from lightwell.operations.late_runs import mark_late
from lightwell.orchestration.transition import Tuning
from lightwell.storage import concurrency_limits, flow_run_states, flow_runs
from lightwell.storage.database import Database
from lightwell.storage.transaction import Transaction
from tests.storage.rows import making
from tests.storage.rows.making import NOON, minutes
from tests.timed import MovingClock

AFTER = timedelta(seconds=15)


def _scheduled(tx: Transaction, /, flow_id: UUID, at: float, name: str = "Scheduled", **values: Any) -> UUID:
    due = minutes(at)
    state = making.state("SCHEDULED", name=name, scheduled_time=due)
    times = {"next_scheduled_start_time": due, "expected_start_time": due}
    return making.flow_run(tx, flow_id, state, **times, **values)


async def _tick(store: Database, clock: MovingClock, batch_size: int = 100) -> int:
    return await late_runs.tick(store, clock, after=AFTER, batch_size=batch_size, tuning=Tuning())


async def _states(store: Database, run: UUID) -> list[str | None]:
    return [state.name for state in await store.read(flow_run_states.select, run)]


async def test_what_should_have_started_is_late(store: Database, clock: MovingClock, bus: Bus) -> None:
    """After so many seconds, with the time that it was scheduled for, and everybody is told."""
    told: list[Fact] = []
    bus.subscribe(told.extend)
    flow_id = await store.write(making.flow)
    run = await store.write(_scheduled, flow_id, 0)
    clock.move(seconds=14)
    assert await _tick(store, clock) == 0
    clock.move(seconds=1)

    assert await _tick(store, clock) == 1

    found = await store.read(flow_runs.get, run)
    assert found.state is not None
    assert (found.state.type, found.state.name, found.state.message) == ("SCHEDULED", "Late", None)
    assert found.state.state_details.scheduled_time == found.next_scheduled_start_time == NOON
    assert found.expected_start_time == NOON
    assert [fact.event for fact in told] == ["prefect.flow-run.Late"]
    assert await _states(store, run) == ["Scheduled", "Late"]


async def test_it_is_said_once(store: Database, clock: MovingClock) -> None:
    """A second look finds nothing."""
    flow_id = await store.write(making.flow)
    run = await store.write(_scheduled, flow_id, -10)
    assert [await _tick(store, clock), await _tick(store, clock)] == [1, 0]
    assert await _states(store, run) == ["Scheduled", "Late"]


async def test_others_are_left_alone(store: Database, clock: MovingClock) -> None:
    """Those that wait for a retry or resume, that have begun or ended, and that are not due."""
    flow_id = await store.write(making.flow)
    kept = [
        await store.write(_scheduled, flow_id, -10, "AwaitingRetry"),
        await store.write(_scheduled, flow_id, -10, "Resuming"),
        await store.write(_scheduled, flow_id, 10),
        await store.write(making.flow_run, flow_id, making.state("RUNNING")),
        await store.write(making.flow_run, flow_id, making.state("COMPLETED")),
        await store.write(making.flow_run, flow_id),
    ]
    assert await _tick(store, clock) == 0
    assert all([len(await _states(store, run)) <= 1 for run in kept])


async def test_any_number_is_marked_in_one_tick(store: Database, clock: MovingClock) -> None:
    """In as many transactions as it takes."""
    flow_id = await store.write(making.flow)

    def many(tx: Transaction) -> list[UUID]:
        return [_scheduled(tx, flow_id, -number) for number in range(1, 300)]

    runs = await store.write(many)
    assert await _tick(store, clock, batch_size=140) == 299
    names = {(await store.read(flow_runs.get, run)).state_name for run in runs[::25]}
    assert names == {"Late"}


async def test_a_deployment_that_cancels_new_runs_cancels_late_ones(store: Database, clock: MovingClock) -> None:
    """When its limit is full: nobody would ever start them."""

    def full(tx: Transaction) -> UUID:
        flow_id = making.flow(tx)
        limit = concurrency_limits.insert(tx, {"name": "deployment:nightly", "limit": 0})
        assert limit is not None
        deployment = making.deployed(
            tx,
            flow_id,
            "nightly",
            concurrency_limit_id=limit.id,
            concurrency_options={"collision_strategy": "CANCEL_NEW"},
        )
        return _scheduled(tx, flow_id, -10, deployment_id=deployment)

    run = await store.write(full)
    assert await _tick(store, clock) == 1
    found = await store.read(flow_runs.get, run)
    assert isinstance(found.state, State)
    assert found.state.name == "Cancelled"
    assert await _tick(store, clock) == 0


async def test_one_that_is_started_meanwhile_is_not_late(store: Database, clock: MovingClock) -> None:
    """It is asked again of each run when it is locked."""
    flow_id = await store.write(making.flow)
    run = await store.write(_scheduled, flow_id, -10)
    marked = await store.write(_start_and_mark, run, clock)
    assert marked == 0
    assert await _states(store, run) == ["Scheduled", "Pending"]


def _start_and_mark(tx: Transaction, run: UUID, clock: MovingClock) -> int:
    flow_runs.append_state(tx, run, making.state("PENDING", minutes(1)), {"next_scheduled_start_time": None})
    return mark_late(tx, [run, new_id()], clock.now() - AFTER, Tuning())
