"""Leases as rows: they hold slots until they are given back or are over, and never more than there are."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from lightwell.kit.ids import new_id
from lightwell.storage import concurrency_limits, flows, leases
from lightwell.storage.concurrency_limits import LimitRecord
from lightwell.storage.database import Database
from lightwell.storage.leases import Holder
from lightwell.storage.transaction import Transaction
from tests.storage.rows import making
from tests.timed import MovingClock

_MINUTE = timedelta(minutes=1)


async def _made(store: Database, name: str, limit: int = 3, decay: float = 0.0) -> LimitRecord:
    values = {"name": name, "limit": limit, "slot_decay_per_second": decay}
    made = await store.write(concurrency_limits.insert, values)
    assert made is not None
    return made


def _acquire(
    tx: Transaction,
    limits: list[LimitRecord],
    slots: int = 1,
    lifetime: timedelta | None = _MINUTE,
    holder: Holder | None = None,
) -> UUID:
    lease_id = new_id()
    locked = concurrency_limits.select_by_ids(tx, [limit.id for limit in limits], lock=True)
    leases.acquire(tx, lease_id, locked, slots, lifetime=lifetime, holder=holder)
    return lease_id


def _acquire_if_free(tx: Transaction, names: list[str], slots: int) -> bool:
    limits = concurrency_limits.select_named(tx, names, lock=True)
    if any(limit.taken(tx.now) + slots > limit.limit for limit in limits):
        return False
    leases.acquire(tx, new_id(), limits, slots, lifetime=_MINUTE)
    return True


async def _taken(store: Database, *limits: LimitRecord) -> list[int]:
    return [(await store.read(concurrency_limits.read, limit.id)).active_slots for limit in limits]


async def test_a_lease_holds_slots_of_all_its_limits(store: Database) -> None:
    """They are counted on each, and given back on each, once."""
    a, b = await _made(store, "a"), await _made(store, "b")
    both = await store.write(_acquire, [a, b], 2)
    await store.write(_acquire, [b])
    assert await _taken(store, a, b) == [2, 3]
    assert await store.write(leases.release, [both]) == 1
    assert await store.write(leases.release, [both]) == 0
    assert await _taken(store, a, b) == [0, 1]


async def test_a_lease_is_over_at_its_instant(store: Database, clock: MovingClock) -> None:
    """Its slots are free at once, and it cannot be renewed, whether or not somebody has tidied up."""
    limit = await _made(store, "a")
    lease = await store.write(_acquire, [limit])
    clock.move(seconds=59)
    assert await store.write(leases.renew, lease, _MINUTE)
    clock.move(seconds=59)
    assert await store.write(leases.is_alive, lease)
    clock.move(seconds=1)
    assert await _taken(store, limit) == [0]
    assert not await store.write(leases.is_alive, lease)
    assert not await store.write(leases.renew, lease, _MINUTE)
    assert not await store.write(leases.renew, new_id(), _MINUTE)


async def test_a_lease_without_an_end_holds_until_it_is_released(store: Database, clock: MovingClock) -> None:
    """So does one that is renewed without an end."""
    limit = await _made(store, "a")
    for_ever = await store.write(_acquire, [limit], 1, None)
    pinned = await store.write(_acquire, [limit])
    assert await store.write(leases.renew, pinned, None)
    clock.move(seconds=10**9)
    assert await store.write(leases.release_expired, most=10) == 0
    assert await _taken(store, limit) == [2]
    assert await store.write(leases.release, [for_ever, pinned]) == 2


async def test_expired_leases_end_in_small_batches(store: Database, clock: MovingClock) -> None:
    """The oldest first, and only those that are over."""
    limit = await _made(store, "a", limit=10)
    ends = [await store.write(_acquire, [limit], 1, timedelta(seconds=seconds)) for seconds in (30, 10, 20, 100)]
    clock.move(seconds=50)
    assert await store.write(leases.release_expired, most=2) == 2
    assert await store.write(leases.release, [ends[1], ends[2]]) == 0
    assert await store.write(leases.release_expired, most=2) == 1
    assert await store.write(leases.release_expired, most=2) == 0
    assert await _taken(store, limit) == [1]


async def test_the_average_occupancy_follows_the_leases(store: Database, clock: MovingClock) -> None:
    """A slot counts by how long it was held; the more slots there are, the slower the average moves."""
    limit = await _made(store, "a", limit=2)
    lease = await store.write(_acquire, [limit], 2, None)
    clock.move(seconds=20)
    await store.write(leases.release, [lease])
    kept = await store.read(concurrency_limits.get, limit.id)
    assert kept.avg_slot_occupancy_seconds == pytest.approx(2 + (10 - 2) / 4)


async def test_slots_that_decay_are_given_back_once(store: Database, clock: MovingClock) -> None:
    """What time has given back of a lease's slots is not given back again with the lease."""
    limit = await _made(store, "rate", limit=10, decay=0.1)
    lease = await store.write(_acquire, [limit], 4, None)
    await store.write(_acquire, [limit], 3, None)
    assert await _taken(store, limit) == [7]
    clock.move(seconds=20)
    assert await _taken(store, limit) == [5]
    await store.write(leases.release, [lease])
    assert await _taken(store, limit) == [1]


async def test_holders_are_told_in_the_order_in_which_they_came(store: Database, clock: MovingClock) -> None:
    """By limit, of one type, and only while their leases hold."""
    a, b = await _made(store, "a"), await _made(store, "b")
    first, second = Holder("task_run", new_id()), Holder("task_run", new_id())
    lease = await store.write(_acquire, [a], holder=second)
    clock.move(seconds=1)
    await store.write(_acquire, [a, b], holder=first)
    await store.write(_acquire, [a], holder=Holder("flow_run", new_id()))
    assert await store.read(leases.holders, [a.id, b.id], "task_run") == {a.id: [second.id, first.id], b.id: [first.id]}
    assert await store.read(leases.held_by, second) == {a.id: [lease]}
    clock.move(seconds=59)
    assert await store.read(leases.holders, [a.id], "task_run") == {a.id: [first.id]}
    assert await store.read(leases.held_by, second) == {}


async def test_a_flow_run_gives_back_what_its_task_runs_hold(store: Database) -> None:
    """Task runs alone give back their own."""
    limit = await _made(store, "a", limit=10)

    def make(tx: Transaction) -> tuple[UUID, UUID, UUID]:
        run_id = making.flow_run(tx, making.flow(tx))
        tasks = [making.task_run(tx, run_id, key) for key in ("one", "two")]
        _acquire(tx, [limit], holder=Holder("flow_run", run_id))
        for task_run_id in tasks:
            _acquire(tx, [limit], holder=Holder("task_run", task_run_id))
        _acquire(tx, [limit], holder=Holder("deployment", run_id))
        return run_id, tasks[0], tasks[1]

    run_id, one, _ = await store.write(make)
    assert await store.write(leases.release_holders, "task_run", [one]) == 1
    assert await store.write(leases.release_holders, "flow_run", [run_id]) == 2
    assert await store.write(leases.release_holders, "flow_run", [run_id]) == 0
    assert await _taken(store, limit) == [1]


async def test_a_flow_gives_back_what_its_runs_hold(store: Database) -> None:
    """Before it is deleted, and they with it."""
    limit = await _made(store, "a", limit=10)

    def make(tx: Transaction, name: str) -> UUID:
        flow_id = making.flow(tx, name)
        run_id = making.flow_run(tx, flow_id)
        task_run_id = making.task_run(tx, run_id, "one")
        _acquire(tx, [limit], holder=Holder("flow_run", run_id))
        _acquire(tx, [limit], holder=Holder("task_run", task_run_id))
        return flow_id

    await store.write(make, "kept")
    doomed = await store.write(make, "doomed")
    assert await store.write(leases.release_flows, [doomed]) == 2
    await store.write(flows.delete, [doomed])
    assert await _taken(store, limit) == [2]


async def test_the_oldest_leases_are_revoked_first(store: Database, clock: MovingClock) -> None:
    """A lease that holds slots of another limit keeps those; one that holds nothing any more is over."""
    a, b = await _made(store, "a", limit=10), await _made(store, "b")
    both = await store.write(_acquire, [a, b])
    clock.move(seconds=1)
    alone = await store.write(_acquire, [a], 2)
    clock.move(seconds=1)
    newest = await store.write(_acquire, [a], 2)
    assert await store.write(leases.revoke, a.id, keep=3) == 2
    assert await _taken(store, a, b) == [2, 1]
    alive = [await store.write(leases.is_alive, lease) for lease in (both, alone, newest)]
    assert alive == [True, False, True]
    assert await store.write(leases.revoke, a.id, keep=0) == 0
    assert await _taken(store, a, b) == [0, 1]


async def test_a_lease_of_no_limit_can_be_renewed(store: Database) -> None:
    """It is held by whoever asked for limits that do not exist."""
    lease = await store.write(_acquire, [])
    assert await store.write(leases.renew, lease, _MINUTE)
    assert await store.write(leases.release, [lease]) == 1


async def test_slots_are_never_given_twice(store: Database) -> None:
    """However many ask at once for overlapping limits, in whatever order, no more is taken than there is."""
    a, b = await _made(store, "a", limit=5), await _made(store, "b", limit=7)
    wishes = [["a"], ["b"], ["a", "b"], ["b", "a"]]
    asked = [store.write(_acquire_if_free, wishes[number % 4], 1 + number % 2) for number in range(80)]
    assert any(await asyncio.gather(*asked))
    taken_of_a, taken_of_b = await _taken(store, a, b)
    assert taken_of_a == 5
    assert 6 <= taken_of_b <= 7


async def test_slots_that_go_round_are_never_given_twice(store: Database) -> None:
    """While leases come and go, whoever looks finds no more taken than there is, and none in the end."""
    limit = await _made(store, "a", limit=2)
    found: list[int] = []

    def acquire(tx: Transaction) -> UUID | None:
        locked = concurrency_limits.get(tx, limit.id, lock=True)
        if locked.taken(tx.now) >= locked.limit:
            return None
        lease_id = new_id()
        leases.acquire(tx, lease_id, [locked], 1, lifetime=_MINUTE)
        return lease_id

    async def work() -> int:
        done = 0
        while done < 3:
            lease = await store.write(acquire)
            if lease is not None:
                found.append((await _taken(store, limit))[0])
                assert await store.write(leases.release, [lease]) == 1
                done += 1
        return done

    async with asyncio.timeout(30):
        assert await asyncio.gather(*(work() for _ in range(8))) == [3] * 8
    assert max(found) <= 2
    assert await _taken(store, limit) == [0]
