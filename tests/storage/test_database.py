"""What `Database` promises, on both databases."""

import asyncio
from collections.abc import Sequence
from contextvars import ContextVar
from datetime import UTC, datetime

import pytest
from opentelemetry.trace import INVALID_SPAN
from sqlalchemy import text

from lightwell.errors import Busy, Conflict, Invalid, Unavailable
from lightwell.events.bus import Bus
from lightwell.events.facts import Fact
from lightwell.instrumentation.recording import CURRENT, Recording
from lightwell.kit.clock import SystemClock
from lightwell.storage.database import Database, open_database
from lightwell.storage.transaction import Reader, Transaction
from tests.storage import notes
from tests.storage.conftest import Gate

WHO: ContextVar[str] = ContextVar("who", default="nobody")


class StoppedClock:
    """A clock that stands still."""

    def now(self) -> datetime:
        """The same instant."""
        return datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)


async def test_a_write_returns_what_its_verb_returned_and_is_read_afterwards(notebook: Database) -> None:
    """The answer comes after the commit, so every later read sees the rows."""
    assert await notebook.write(notes.add, 7, text="seven") == 7
    assert await notebook.read(notes.text_of, 7) == "seven"


async def test_many_writers_at_once_all_get_their_own_answer(notebook: Database) -> None:
    """Units that share a commit do not share results."""
    assert await asyncio.gather(*(notebook.write(notes.add, n) for n in range(200))) == list(range(200))
    assert await notebook.read(notes.numbers) == list(range(200))


async def test_a_failing_unit_among_many_takes_back_its_own_rows_only(notebook: Database) -> None:
    """One unit's exception harms no other unit, wherever in the group it was."""
    verbs = [notes.add_and_fail if n % 7 == 0 else notes.add_and_tell for n in range(100)]
    answers = await asyncio.gather(*(notebook.write(v, n) for n, v in enumerate(verbs)), return_exceptions=True)
    failed = [n for n, answer in enumerate(answers) if isinstance(answer, LookupError)]
    assert failed == list(range(0, 100, 7))
    assert await notebook.read(notes.numbers) == [n for n in range(100) if n % 7]


async def test_a_unit_has_one_instant_and_knows_its_dialect(database_url: str) -> None:
    """`now` is the clock's, read once for the whole unit."""
    database = open_database(database_url, clock=StoppedClock(), bus=Bus())
    await database.start()

    def look(reader: Reader) -> tuple[datetime, str]:
        return reader.now, reader.dialect

    assert await database.read(look) == (StoppedClock().now(), database_url.partition(":")[0])
    assert await database.write(look) == (StoppedClock().now(), database.dialect)
    await database.stop()


async def test_units_run_in_the_context_of_their_caller(database: Database) -> None:
    """Context variables are seen in the database thread, and what is set there stays there."""

    def swap(reader: Reader) -> str:  # noqa: ARG001 -- a unit of work is given one
        seen = WHO.get()
        WHO.set("a thread")
        return seen

    WHO.set("caller")
    assert await database.read(swap) == "caller"
    assert await database.write(swap) == "caller"
    assert WHO.get() == "caller"


async def test_a_read_cannot_change_anything(notebook: Database) -> None:
    """The database itself refuses a change in a read."""

    def sneak(reader: Reader) -> None:
        reader.execute(text("INSERT INTO note (id, text, size) VALUES (1, '', 0)"))

    with pytest.raises(Exception, match=r"(?i)read-?only"):
        await notebook.read(sneak)
    assert await notebook.read(notes.count) == 0


async def test_a_read_sees_one_state_however_many_statements_it_has(notebook: Database, gate: Gate) -> None:
    """A commit in the middle of a read is not seen by it."""

    def count_twice(reader: Reader) -> tuple[int, int]:
        first = notes.count(reader)
        gate.hold(reader)
        return first, notes.count(reader)

    reading = asyncio.create_task(notebook.read(count_twice))
    await gate.entered()
    await notebook.write(notes.add, 1)
    gate.open()
    assert await reading == (0, 0)


async def test_facts_are_published_after_the_commit_and_before_the_answer(notebook: Database, bus: Bus) -> None:
    """A subscriber is told once the rows can be read, in the order of emission, on the event loop's thread."""
    heard: list[str] = []

    def listen(facts: Sequence[Fact]) -> None:
        asyncio.get_running_loop()
        heard.extend(fact.resource_id for fact in facts)

    bus.subscribe(listen)
    await notebook.write(notes.add_and_tell, 1)
    assert heard == ["lightwell.note.1"]
    await asyncio.gather(*(notebook.write(notes.add_and_tell, n) for n in range(2, 30)))
    assert sorted(heard) == sorted(f"lightwell.note.{n}" for n in range(1, 30))


async def test_a_unit_that_failed_gives_no_facts(notebook: Database, bus: Bus) -> None:
    """What was not kept did not happen."""
    heard: list[Fact] = []
    bus.subscribe(heard.extend)
    with pytest.raises(LookupError):
        await notebook.write(notes.add_and_fail, 1)
    assert heard == []


async def test_facts_are_stored_in_their_unit_and_a_failure_of_that_fails_the_unit(database_url: str) -> None:
    """The events table is part of the transaction."""
    heard: list[Fact] = []
    bus = Bus()
    bus.subscribe(heard.extend)

    def store(tx: Transaction, facts: Sequence[Fact]) -> None:
        for fact in facts:
            if fact.resource_id.endswith(".13"):
                raise ArithmeticError
            notes.add(tx, 1000 + int(fact.resource_id.rpartition(".")[2]))

    database = open_database(database_url, clock=SystemClock(), bus=bus, store_facts=store)
    await database.start()
    await database.write(notes.create)
    await database.write(notes.add_and_tell, 1)
    with pytest.raises(ArithmeticError):
        await database.write(notes.add_and_tell, 13)
    assert await database.read(notes.numbers) == [1, 1001]
    assert [fact.resource_id for fact in heard] == ["lightwell.note.1"]
    await database.stop()


async def test_a_nested_part_fails_alone(notebook: Database, bus: Bus) -> None:
    """`nested` takes back the rows and the facts of its own block, after an error of the database as well."""
    heard: list[Fact] = []
    bus.subscribe(heard.extend)

    def add_what_is_new(tx: Transaction) -> list[int]:
        refused = []
        for number in (1, 2, 1, 3):
            try:
                with tx.nested():
                    tx.emit(notes.fact(number))
                    notes.add(tx, number)
            except Conflict:
                refused.append(number)
        return refused

    assert await notebook.write(add_what_is_new) == [1]
    assert await notebook.read(notes.numbers) == [1, 2, 3]
    assert [fact.resource_id[-1] for fact in heard] == ["1", "2", "3"]


async def test_a_cancelled_caller_takes_back_a_unit_that_has_not_started(database_url: str, gate: Gate) -> None:
    """Once the client has left, a unit that still waits is never run."""
    database = open_database(database_url, clock=SystemClock(), bus=Bus(), pool_size=1)
    await database.start()
    await database.write(notes.create)
    holding = asyncio.create_task(database.write(gate.hold))
    await gate.entered()
    waiting = asyncio.create_task(database.write(notes.add, 1))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    gate.open()
    await holding
    assert await database.read(notes.numbers) == []
    assert database.pending == {"read": 0, "write": 0}
    await database.stop()


async def test_a_unit_that_has_started_is_kept_though_its_caller_is_cancelled(notebook: Database, gate: Gate) -> None:
    """A started unit commits, and its facts are published."""

    def add_slowly(tx: Transaction) -> None:
        notes.add(tx, 1)
        gate.hold(tx)

    adding = asyncio.create_task(notebook.write(add_slowly))
    await gate.entered()
    adding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await adding
    gate.open()
    # On PostgreSQL another thread may read before the commit.
    async with asyncio.timeout(10):
        while await notebook.read(notes.numbers) != [1]:  # noqa: ASYNC110 -- nothing tells of it
            await asyncio.sleep(0.005)


async def test_a_full_queue_refuses_at_once_and_says_when_to_come_again(database_url: str, gate: Gate) -> None:
    """The limit holds for reads and for writes separately."""
    database = open_database(database_url, clock=SystemClock(), bus=Bus(), pool_size=1, queue_limit=2)
    await database.start()
    holding = asyncio.create_task(database.write(gate.hold))
    await gate.entered()
    waiting = asyncio.create_task(database.write(notes.create))
    await asyncio.sleep(0)
    with pytest.raises(Busy) as refusal:
        await database.write(notes.add, 1)
    assert refusal.value.retry_after > 0
    reading = asyncio.create_task(database.read(lambda reader: reader.dialect))
    gate.open()
    await asyncio.gather(holding, waiting, reading)
    assert await database.write(notes.add, 1) == 1
    await database.stop()


async def test_who_has_waited_too_long_for_a_turn_is_told_so(database_url: str, gate: Gate) -> None:
    """Even while the threads are stuck, nobody waits for longer than the queue's limit of time."""
    database = open_database(database_url, clock=SystemClock(), bus=Bus(), pool_size=1, queue_timeout=0.2)
    await database.start()
    holding = asyncio.create_task(database.write(gate.hold))
    await gate.entered()
    with pytest.raises(Busy):
        await asyncio.wait_for(database.write(notes.create), 5)
    gate.open()
    await holding
    with pytest.raises(Exception, match="note"):
        await database.read(notes.count)
    await database.stop()


async def test_stopping_finishes_what_was_accepted_and_refuses_the_rest(database_url: str) -> None:
    """Accepted units are kept; the database can be started again."""
    database = open_database(database_url, clock=SystemClock(), bus=Bus())
    await database.start()
    await database.write(notes.create)
    adding = [asyncio.create_task(database.write(notes.add, n)) for n in range(50)]
    await asyncio.sleep(0)
    await database.stop()
    assert await asyncio.gather(*adding) == list(range(50))
    with pytest.raises(Unavailable):
        await database.read(notes.count)
    await database.start()
    assert await database.read(notes.count) == 50
    await database.stop()


async def test_a_broken_constraint_is_a_conflict_that_names_it(notebook: Database) -> None:
    """Unique, not null and check constraints; the name is the database's own, and no value is told."""
    await notebook.write(notes.add, 1, "SECRET-1")
    with pytest.raises(Conflict) as unique:
        await notebook.write(notes.add, 1, "SECRET-2")
    assert unique.value.constraint in {"note.id", "note_pkey"}
    with pytest.raises(Conflict) as check:
        await notebook.write(notes.add, 2, "SECRET-3", size=-5)
    assert check.value.constraint == "ck_note_size"
    for error in (unique.value, check.value):
        assert "SECRET" not in error.message
        assert error.__cause__ is None


async def test_values_that_cannot_be_stored_are_invalid_and_not_told(notebook: Database) -> None:
    """Integers beyond 64 bits and texts that are no Unicode are the caller's to mend."""
    for text_, size in (("x", 2**64), ("x", 10**30), ("\ud800", 0)):
        with pytest.raises(Invalid) as refused:
            await notebook.write(notes.add, 1, text_, size)
        assert str(size) not in refused.value.message or size == 0
    assert await notebook.read(notes.count) == 0


async def test_more_values_than_a_statement_can_have_are_invalid(notebook: Database) -> None:
    """Neither database's limit of parameters is a defect of ours."""

    def ask(reader: Reader) -> None:
        too_many = 300_000 if reader.dialect == "sqlite" else 70_000
        reader.execute(notes.NOTES.select().where(notes.NOTES.c.id.in_(range(too_many))))

    with pytest.raises(Invalid):
        await notebook.read(ask)


async def test_an_unforeseen_exception_goes_on_up_as_it_is(notebook: Database) -> None:
    """Also one that a future refuses to hold; the caller must get an answer."""

    def stop(tx: Transaction) -> None:  # noqa: ARG001 -- a unit of work is given one
        raise StopIteration

    with pytest.raises(Exception, match="StopIteration"):
        await asyncio.wait_for(notebook.write(stop), 5)
    with pytest.raises(Exception, match="nonsense"):
        await notebook.read(lambda reader: reader.execute(text("SELECT nonsense")))
    assert await notebook.write(notes.add, 1) == 1


async def test_a_units_telemetry_knows_its_name_its_wait_its_statements_and_its_end(notebook: Database) -> None:
    """What a request recorded can be told afterwards: statements with placeholders, never their values."""
    recording = Recording(INVALID_SPAN, "", "", live=True, started=0)
    token = CURRENT.set(recording)
    await notebook.write(notes.add, 4711, text="SECRET")
    with pytest.raises(Conflict):
        await notebook.write(notes.add, 4711)
    CURRENT.reset(token)
    kept, refused = recording.units
    assert (kept.kind, kept.name, kept.outcome, kept.group) == ("write", "notes.add", "ok", 1)
    assert kept.system == notebook.dialect
    assert kept.asked <= kept.began <= kept.ended
    assert refused.outcome == "Conflict"
    for unit, kind in ((kept, "statement"), (refused, "broken")):
        assert len(unit.entries) == 1
        statement = list(unit.entries[0])
        assert statement[0] == kind
        text_, values = str(statement[3]), ("SECRET", "4711")
        assert "INSERT INTO note" in text_
        assert not any(value in text_ for value in values)


@pytest.mark.parametrize("statement", ["SELECT nonsense", "SELECT 1 WHERE 1 = :secret + nonsense"])
async def test_the_statement_that_failed_is_told_with_the_databases_code(statement: str, notebook: Database) -> None:
    """As a failure, where it is not the caller's to mend; never with its values."""
    recording = Recording(INVALID_SPAN, "", "", live=True, started=0)
    token = CURRENT.set(recording)
    values = {"secret": 4711} if ":secret" in statement else {}
    with pytest.raises(Exception, match="nonsense"):
        await notebook.read(lambda reader: reader.execute(text(statement), values))
    with pytest.raises(Conflict):
        await notebook.write(_twice)
    CURRENT.reset(token)

    failed, refused = (list(unit.entries[-1]) for unit in recording.units)
    on_sqlite = notebook.dialect == "sqlite"
    kind, code = ("sqlite3.OperationalError", "SQLITE_") if on_sqlite else ("psycopg.errors.UndefinedColumn", "42703")
    assert (failed[0], failed[4], str(failed[5])[: len(code)], failed[6]) == ("broken", kind, code, True)
    assert str(failed[3]).startswith("SELECT")
    assert "4711" not in repr(failed)
    kind, code = "sqlite3.IntegrityError", "SQLITE_CONSTRAINT_PRIMARYKEY"
    kind, code = (kind, code) if on_sqlite else ("psycopg.errors.UniqueViolation", "23505")
    assert (refused[0], *refused[4:]) == ("broken", kind, code, False)


def _twice(tx: Transaction) -> None:
    for _ in range(2):
        notes.add(tx, 1)


async def test_a_statement_that_fails_while_its_rows_come_is_told(notebook: Database) -> None:
    """SQLite looks for the next row when it is asked for it."""
    statement = "SELECT abs(column1) FROM (VALUES (CAST(1 AS BIGINT)), (-9223372036854775807 - 1)) AS number"
    recording = Recording(INVALID_SPAN, "", "", live=True, started=0)
    token = CURRENT.set(recording)
    with pytest.raises(Exception, match=r"overflow|range|cannot|stored"):
        await notebook.read(lambda reader: reader.execute(text(statement)).all())
    CURRENT.reset(token)

    entry = list(recording.units[0].entries[-1])
    assert (len(recording.units[0].entries), entry[0], entry[3]) == (1, "broken", statement)


async def test_ping_answers(database: Database) -> None:
    """A database that is there can be pinged; one that is closed is unavailable."""
    await database.ping()
    await database.stop()
    with pytest.raises(Unavailable):
        await database.ping()


def test_an_unknown_kind_of_database_is_refused_without_telling_its_url() -> None:
    """A URL may hold a password."""
    for url in ("mysql://u:SECRET@h/d", "SECRET"):
        with pytest.raises(Invalid) as refused:
            open_database(url, clock=SystemClock(), bus=Bus())
        assert "SECRET" not in refused.value.message


async def test_it_tells_what_runs_and_what_waits(notebook: Database, gate: Gate) -> None:
    """A unit that has its thread runs; behind the one writer of SQLite the others wait."""
    idle = {"read": 0, "write": 0}
    assert notebook.load[:2] == (idle, idle)
    held = asyncio.ensure_future(notebook.write(gate.hold))
    await gate.entered()
    assert notebook.load[:2] == (idle, {"read": 0, "write": 1})
    more = [asyncio.ensure_future(notebook.write(notes.add, number)) for number in range(3)]
    if notebook.dialect == "sqlite":
        await asyncio.sleep(0)
        assert notebook.load[:2] == ({"read": 0, "write": 3}, {"read": 0, "write": 1})
    gate.open()
    await asyncio.gather(held, *more)
    assert notebook.load[:2] == (idle, idle)
    assert notebook.load.connections == (4 if notebook.dialect == "sqlite" else 8)
