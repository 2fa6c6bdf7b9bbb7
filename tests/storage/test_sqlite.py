"""What is particular to SQLite: groups, foreign locks, time limits, a database in memory."""

import asyncio
import sqlite3
from contextlib import suppress
from pathlib import Path
from time import monotonic

import pytest
from sqlalchemy import text

from lightwell.errors import Busy, TimedOut, Unavailable
from lightwell.events.bus import Bus
from lightwell.kit.clock import SystemClock
from lightwell.storage.database import Database, open_database
from lightwell.storage.transaction import Reader, Transaction
from tests.storage import notes
from tests.storage.conftest import Gate

ENDLESS = text("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n")
ENDLESS_CHANGE = text(
    "INSERT INTO note (id, text, size) "
    "WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n) SELECT i, '', 0 FROM n"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database lies, in a directory that is not there yet."""
    return tmp_path / "home" / "lightwell.db"


async def opened(path: Path | None, *, statement_timeout: float = 20.0, lock_timeout: float = 5.0) -> Database:
    """A started database with the table of notes."""
    url = "sqlite://" if path is None else f"sqlite+aiosqlite:///{path}"
    database = open_database(
        url, clock=SystemClock(), bus=Bus(), statement_timeout=statement_timeout, lock_timeout=lock_timeout
    )
    await database.start()
    await database.write(notes.create)
    return database


async def test_units_that_wait_are_committed_together(path: Path, gate: Gate) -> None:
    """What piled up behind a slow unit becomes visible at one instant, to another program too."""
    database = await opened(path)
    holding = asyncio.create_task(database.write(gate.hold))
    await gate.entered()
    seen: set[int] = set()

    def look(tx: Transaction, number: int) -> None:
        notes.add(tx, number)
        with sqlite3.connect(path) as other:
            seen.add(other.execute("SELECT count(*) FROM note").fetchone()[0])
        other.close()

    adding = [asyncio.create_task(database.write(look, n)) for n in range(5)]
    await asyncio.sleep(0)
    gate.open()
    await asyncio.gather(holding, *adding)
    assert seen == {0}
    assert await database.read(notes.count) == 5
    await database.stop()


async def test_a_unit_that_is_interrupted_takes_no_other_unit_with_it(path: Path, gate: Gate) -> None:
    """SQLite rolls the whole transaction back when a change is interrupted: the others of the group run again."""
    database = await opened(path, statement_timeout=0.3)
    runs: list[int] = []

    def add(tx: Transaction, number: int) -> int:
        runs.append(number)
        return notes.add(tx, number)

    def run_on(tx: Transaction) -> None:
        notes.add(tx, 900)
        tx.execute(ENDLESS_CHANGE)

    holding = asyncio.create_task(database.write(gate.hold))
    await gate.entered()
    before = [asyncio.create_task(database.write(add, n)) for n in range(3)]
    await asyncio.sleep(0)
    late = asyncio.create_task(database.write(run_on))
    await asyncio.sleep(0)
    after = [asyncio.create_task(database.write(add, n)) for n in range(3, 6)]
    await asyncio.sleep(0)
    gate.open()
    with pytest.raises(TimedOut):
        await late
    assert await asyncio.gather(holding, *before, *after) == [None, 0, 1, 2, 3, 4, 5]
    assert runs[:6] == [0, 1, 2, 0, 1, 2]
    assert await database.read(notes.numbers) == [0, 1, 2, 3, 4, 5]
    await database.stop()


async def test_a_full_disk_fails_the_unit_that_met_it(path: Path, gate: Gate) -> None:
    """Units that need no more room are kept, also those of the same group."""
    database = await opened(path)

    def fill(tx: Transaction) -> None:
        tx.execute(text("PRAGMA max_page_count=1"))
        notes.add(tx, 900, text="x" * 10_000_000)

    holding = asyncio.create_task(database.write(gate.hold))
    await gate.entered()
    units = [asyncio.create_task(database.write(notes.add, n)) for n in range(3)]
    full = asyncio.create_task(database.write(fill))
    await asyncio.sleep(0)
    gate.open()
    with pytest.raises(Unavailable):
        await full
    await asyncio.gather(holding, *units)
    assert await database.read(notes.numbers) == [0, 1, 2]
    await database.stop()


async def test_short_reads_do_not_wait_behind_a_long_one(path: Path, gate: Gate) -> None:
    """Another thread takes them when the one at work does not come back."""
    database = await opened(path)
    holding = asyncio.create_task(database.read(gate.hold))
    await gate.entered()
    async with asyncio.timeout(5):
        assert await asyncio.gather(*(database.read(notes.count) for _ in range(10))) == [0] * 10
    gate.open()
    await holding
    await database.stop()


async def test_a_verb_cannot_go_on_after_its_transaction_is_gone(path: Path) -> None:
    """A swallowed interruption must not let the rest of the verb run outside of any transaction."""
    database = await opened(path, statement_timeout=0.2)

    def go_on(tx: Transaction) -> None:
        notes.add(tx, 1)
        with suppress(TimedOut):
            tx.execute(ENDLESS_CHANGE)
        notes.add(tx, 2)

    with pytest.raises(TimedOut):
        await database.write(go_on)
    assert await database.read(notes.numbers) == []
    await database.stop()


async def test_a_long_read_times_out_and_the_next_works(path: Path) -> None:
    """The limit is for one unit; it leaves nothing behind."""
    database = await opened(path, statement_timeout=0.2)
    with pytest.raises(TimedOut):
        await database.read(lambda reader: reader.execute(ENDLESS).scalar_one())
    assert await database.read(notes.count) == 0
    await database.stop()


async def test_a_foreign_lock_is_waited_for(path: Path) -> None:
    """Another program's transaction delays a write and does not fail it."""
    database = await opened(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    adding = asyncio.create_task(database.write(notes.add, 1))
    done, _ = await asyncio.wait([adding], timeout=0.5)
    assert not done
    assert await database.read(notes.count) == 0
    other.execute("COMMIT")
    assert await adding == 1
    other.close()
    await database.stop()


async def test_a_foreign_lock_that_stays_makes_writes_busy_within_their_time(path: Path) -> None:
    """Nobody waits for longer than the limit, however many wait, and it works again when the lock is gone."""
    database = await opened(path, lock_timeout=0.5)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    started = monotonic()
    answers = await asyncio.gather(*(database.write(notes.add, n) for n in range(20)), return_exceptions=True)
    assert all(isinstance(answer, Busy) for answer in answers), answers
    assert monotonic() - started < 3
    other.execute("ROLLBACK")
    other.close()
    assert await database.write(notes.add, 1) == 1
    await database.stop()


async def test_a_caller_who_leaves_during_a_foreign_lock_takes_the_unit_back(path: Path) -> None:
    """A unit that could not begin yet has not started."""
    database = await opened(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    adding = asyncio.create_task(database.write(notes.add, 1))
    await asyncio.wait([adding], timeout=0.1)
    adding.cancel()
    await asyncio.wait([adding])
    other.execute("ROLLBACK")
    other.close()
    assert await database.write(notes.add, 2) == 2
    assert await database.read(notes.numbers) == [2]
    await database.stop()


async def test_a_database_in_memory_reads_what_is_committed_and_cannot_change_in_a_read() -> None:
    """One connection serves both, and a read is as separate from the writes as in a file."""
    database = await opened(None)
    units = [(database.write(notes.add, n), database.read(notes.count)) for n in range(50)]
    answers = await asyncio.gather(*(unit for pair in units for unit in pair))
    assert answers == [number for n in range(50) for number in (n, n + 1)]

    def sneak(reader: Reader) -> None:
        reader.execute(text("DELETE FROM note"))

    with pytest.raises(Exception, match="readonly"):
        await database.read(sneak)
    assert await database.read(notes.count) == 50
    await database.stop()


async def test_a_file_that_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    """A directory in the file's place, and a file in the directory's."""
    (tmp_path / "file").write_text("")
    (tmp_path / "directory").mkdir()
    for place in (tmp_path / "directory", tmp_path / "file" / "lightwell.db"):
        database = open_database(f"sqlite:///{place}", clock=SystemClock(), bus=Bus())
        with pytest.raises(Unavailable):
            await database.start()


async def test_the_log_is_emptied_beside_the_writer_and_gone_after_the_end(path: Path) -> None:
    """While there are commits the file itself grows; a clean stop leaves no log."""
    database = await opened(path)
    async with asyncio.timeout(10):
        size, number = file_size(path), 0
        while file_size(path) < size + 100_000:
            number += 1
            await database.write(notes.add, number, text="x" * 1000)
    await database.stop()
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def file_size(path: Path) -> int:
    """In bytes."""
    return path.stat().st_size
