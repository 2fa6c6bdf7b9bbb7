"""The work of one tick in transactions that are short."""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import pytest
from sqlalchemy import func, select

from lightwell.errors import Busy, Conflict, Defect
from lightwell.loops import batches as module
from lightwell.loops.batches import Batches
from lightwell.storage import tables
from lightwell.storage.database import Database
from lightwell.storage.transaction import Reader, Transaction
from tests.loops.conftest import opened
from tests.storage.rows import making
from tests.timed import MovingClock


@pytest.fixture
async def store(sqlite_url: str, clock: MovingClock) -> AsyncIterator[Database]:
    """A started database: how it is asked does not depend on its kind."""
    database = opened(sqlite_url, clock)
    await database.start()
    yield database
    await database.stop()


@dataclass
class Work:
    """A verb that makes a flow of each item, and notes its batches; some items cannot be done."""

    errors: dict[int, type[Exception]] = field(default_factory=dict)
    seen: list[list[int]] = field(default_factory=list)

    def verb(self, tx: Transaction, items: Sequence[int]) -> int:
        """The verb."""
        self.seen.append(list(items))
        for item in items:
            making.flow(tx, f"flow {item}")
            if item in self.errors:
                raise self.errors[item]("no")
        return len(items)


def _flows(reader: Reader) -> int:
    return int(reader.execute(select(func.count()).select_from(tables.flow)).scalar_one())


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[BaseException]:
    """The failures that were reported."""
    failures: list[BaseException] = []
    monkeypatch.setattr(module, "fail", lambda error, *_, **__: failures.append(error))
    return failures


async def test_everything_is_done_in_order(store: Database) -> None:
    """In batches of at most so many."""
    work = Work()
    assert await Batches(store, "test", most=20).each(range(100), work.verb) == 100
    assert [item for batch in work.seen for item in batch] == list(range(100))
    assert max(map(len, work.seen)) <= 20
    assert len(work.seen) > 4
    assert await store.read(_flows) == 100


async def test_an_item_counts_as_many_as_its_parts(store: Database) -> None:
    """One that is larger than a batch is one of its own."""

    class Item(NamedTuple):
        parts: int

    seen: list[list[int]] = []

    def verb(_tx: Transaction, items: Sequence[Item]) -> int:
        seen.append([item.parts for item in items])
        return len(items)

    await Batches(store, "test", most=10).each([Item(4), Item(4), Item(4), Item(50), Item(1)], verb)
    assert seen == [[4, 4], [4], [50], [1]]


async def test_one_that_is_rejected_is_left_out(store: Database, told: list[BaseException]) -> None:
    """Nothing of it is kept, the others are done, and nobody is alarmed."""
    work = Work({7: Conflict})
    assert await Batches(store, "test", most=10).each(range(30), work.verb) == 29
    assert await store.read(_flows) == 29
    assert not told


async def test_one_that_fails_is_reported_and_left_out(store: Database, told: list[BaseException]) -> None:
    """The others are done, in the same batch and after it."""
    work = Work({7: Defect, 29: ValueError})
    assert await Batches(store, "test", most=10).each(range(30), work.verb) == 28
    assert await store.read(_flows) == 28
    assert [type(error) for error in told] == [Defect, ValueError]


async def test_what_time_can_mend_ends_it(store: Database) -> None:
    """What was done before is kept."""
    work = Work({15: Busy})
    with pytest.raises(Busy):
        await Batches(store, "test", most=10).each(range(30), work.verb)
    assert await store.read(_flows) == 10


async def test_a_look_that_finds_only_what_cannot_be_done_is_the_last(
    store: Database, told: list[BaseException]
) -> None:
    """Otherwise a tick would never end."""
    work = Work({1: Defect})
    found = [[0, 1], [1], [1]]

    async def look() -> Sequence[int]:
        await asyncio.sleep(0)
        return found.pop(0)

    assert await Batches(store, "test", most=10).drain(look, work.verb) == 1
    assert len(found) == 1
    assert len(told) == 2


async def test_it_ends_when_its_time_is_up(store: Database) -> None:
    """What is left is for the next tick."""
    work = Work()
    batches = Batches(store, "test", most=10, seconds=0.0)
    assert batches.is_over
    assert await batches.each(range(30), work.verb) == 0
    assert await batches.repeat(lambda _tx, size: size) == 0
    assert not work.seen


async def test_it_repeats_until_less_is_done_than_could_be(store: Database) -> None:
    """Each time with the size that is right by then."""
    sizes: list[int] = []

    def verb(_tx: Transaction, size: int, left: int) -> int:
        sizes.append(min(size, left - sum(sizes)))
        return sizes[-1]

    assert await Batches(store, "test", most=50).repeat(verb, 200) == 200
    assert max(sizes) <= 50


async def test_loops_take_turns(store: Database) -> None:
    """Of several that have much to do, one writes at a time."""
    on_their_way: list[int] = []

    def verb(_tx: Transaction, items: Sequence[int]) -> int:
        on_their_way.append(store.pending["write"])
        return len(items)

    await asyncio.gather(*[Batches(store, f"test {number}", most=10).each(range(100), verb) for number in range(3)])
    assert len(on_their_way) >= 30
    assert set(on_their_way) == {1}


async def test_a_batch_that_has_begun_is_kept_when_its_tick_is_broken_off(store: Database) -> None:
    """The database finishes it, and the others may go on."""
    begun, release = threading.Event(), threading.Event()

    def slow(tx: Transaction, _items: Sequence[int]) -> int:
        begun.set()
        assert release.wait(20)
        making.flow(tx, "slow")
        return 1

    tick = asyncio.ensure_future(Batches(store, "test", most=10).each([1], slow))
    assert await asyncio.to_thread(begun.wait, 20)
    tick.cancel()
    with pytest.raises(asyncio.CancelledError):
        await tick
    release.set()

    assert await Batches(store, "other", most=10).each([1], Work().verb) == 1
    assert await store.read(_flows) == 2
