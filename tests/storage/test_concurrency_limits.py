"""Concurrency limits as rows: made, found, counted, and slots that time gives back, on both databases."""

from datetime import timedelta

import pytest

from lightwell.errors import Conflict, NotFound
from lightwell.kit.ids import new_id
from lightwell.storage import concurrency_limits, tag_limits
from lightwell.storage.concurrency_limits import LimitRecord
from lightwell.storage.database import Database
from lightwell.storage.transaction import Transaction
from tests.timed import MovingClock

_WAIT = timedelta(seconds=30)


async def _made(store: Database, name: str, limit: int = 2, decay: float = 0.0) -> LimitRecord:
    values = {"name": name, "limit": limit, "slot_decay_per_second": decay}
    made = await store.write(concurrency_limits.insert, values)
    assert made is not None
    return made


async def test_a_limit_is_found_by_id_and_by_name(store: Database) -> None:
    """It is the same by either key, and a name is used once."""
    made = await _made(store, "a")
    assert await store.read(concurrency_limits.get, "a") == made
    assert await store.read(concurrency_limits.get, made.id) == made
    assert (await store.read(concurrency_limits.read, "a")).active_slots == 0
    assert await store.write(concurrency_limits.insert, {"name": "a", "limit": 1}) is None
    for missing in ("b", new_id()):
        with pytest.raises(NotFound, match="Concurrency Limit not found"):
            await store.read(concurrency_limits.get, missing)


async def test_limits_are_listed_by_name_and_those_of_tags_apart(store: Database) -> None:
    """Limits come in the order of their bytes; the list of tags leaves out what only looks like one."""
    for name in ("b", "tag:z", "a", "tag:a", "tagged", "tag"):
        await _made(store, name)
    everything = [limit.name for limit in await store.read(concurrency_limits.select)]
    assert everything == ["a", "b", "tag", "tag:a", "tag:z", "tagged"]
    assert [limit.name for limit in await store.read(concurrency_limits.select, limit=2, offset=1)] == ["b", "tag"]
    assert [limit.tag for limit in await store.read(tag_limits.select)] == ["a", "z"]
    assert await store.read(concurrency_limits.count) == 6


async def test_a_limit_is_changed_and_deleted(store: Database) -> None:
    """What is not there any more cannot be changed, and no name is given twice."""
    made, other = await _made(store, "a"), await _made(store, "b")
    await store.write(concurrency_limits.update, made.id, {"limit": 7, "active": False})
    changed = await store.read(concurrency_limits.get, made.id)
    assert (changed.limit, changed.active) == (7, False)
    with pytest.raises(Conflict):
        await store.write(concurrency_limits.update, other.id, {"name": "a"})
    await store.write(concurrency_limits.delete, made.id)
    with pytest.raises(NotFound):
        await store.write(concurrency_limits.delete, made.id)
    with pytest.raises(NotFound):
        await store.write(concurrency_limits.update, made.id, {"limit": 1})


async def test_slots_decay_one_by_one_however_often_they_are_counted(store: Database, clock: MovingClock) -> None:
    """A part of a slot that was given back by time is not lost when the next slot is taken."""
    made = await _made(store, "rate", limit=10, decay=0.1)

    def take(tx: Transaction) -> int:
        limit = concurrency_limits.get(tx, made.id, lock=True)
        concurrency_limits.take_loose(tx, [limit], 1)
        return limit.taken(tx.now) + 1

    counted = []
    for _ in range(6):
        counted.append(await store.write(take))
        clock.move(seconds=6)
    assert counted == [1, 2, 2, 3, 3, 3]
    clock.move(seconds=1000)
    assert (await store.read(concurrency_limits.read, made.id)).active_slots == 0
    assert await store.write(take) == 1


async def test_what_was_never_taken_is_not_given_back(store: Database, clock: MovingClock) -> None:
    """Loose slots never fall below none, and the average occupancy follows what was said."""
    made = await _made(store, "a", limit=2)

    def give(tx: Transaction, slots: int, seconds: float | None) -> LimitRecord:
        limit = concurrency_limits.get(tx, made.id, lock=True)
        concurrency_limits.give_loose_back(tx, [limit], slots, seconds)
        return concurrency_limits.get(tx, made.id)

    def take(tx: Transaction) -> None:
        concurrency_limits.take_loose(tx, [concurrency_limits.get(tx, made.id, lock=True)], 2)

    await store.write(take)
    clock.move(seconds=100)
    assert (await store.write(give, 1, None)).taken(clock.now()) == 1
    given = await store.write(give, 5, 60.0)
    assert given.taken(clock.now()) == 0
    assert given.avg_slot_occupancy_seconds == pytest.approx(2 + (12 - 2) / 4)


async def test_refusals_are_forgotten_as_slots_become_free(store: Database, clock: MovingClock) -> None:
    """One is forgotten after as long as a slot is held on average; with decay, as long as a slot takes."""
    lasting, decaying = await _made(store, "a"), await _made(store, "b", decay=0.25)

    def deny(tx: Transaction) -> None:
        for limit in concurrency_limits.select_by_ids(tx, [lasting.id, decaying.id], lock=True):
            concurrency_limits.deny(tx, limit, 3, _WAIT)

    async def denied() -> list[int]:
        limits = await store.read(concurrency_limits.select_by_ids, [lasting.id, decaying.id])
        return [limit.denied(clock.now(), _WAIT)[0] for limit in limits]

    await store.write(deny)
    assert await denied() == [3, 3]
    clock.move(seconds=4.5)
    assert await denied() == [1, 2]
    await store.write(deny)
    assert await denied() == [4, 5]


async def test_a_clock_that_goes_back_gives_nothing_back(store: Database, clock: MovingClock) -> None:
    """Slots that were taken in what is the future now stay taken."""
    made = await _made(store, "rate", limit=10, decay=1.0)

    def take(tx: Transaction) -> None:
        concurrency_limits.take_loose(tx, [concurrency_limits.get(tx, made.id, lock=True)], 2)

    await store.write(take)
    clock.move(seconds=-3600)
    await store.write(take)
    assert (await store.read(concurrency_limits.read, made.id)).active_slots == 4
