"""The column types: what goes in comes out, and both databases compare what they store."""

import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, Table, insert, select, type_coerce

from lightwell.errors import Invalid
from lightwell.kit.ids import new_id
from lightwell.storage.columns import Id, Json, Moment, Seconds, Span, Tags, from_micros, from_text, to_micros, to_text
from lightwell.storage.database import Database
from lightwell.storage.transaction import Reader, Transaction

METADATA = MetaData()
THINGS = Table(
    "thing",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("id", Id),
    Column("at", Moment),
    Column("span", Span),
    Column("json", Json),
    Column("tags", Tags),
    Column("seconds", Seconds),
)
AT = datetime(2026, 11, 22, 12, 30, 0, 123456, tzinfo=UTC)


async def keep(database: Database, **values: Any) -> Any:
    """Store a row and read it again."""

    def store(tx: Transaction) -> None:
        METADATA.create_all(tx.connection)
        tx.execute(THINGS.delete())
        tx.execute(insert(THINGS), {"number": 1, **values})

    await database.write(store)
    return await database.read(lambda reader: reader.execute(select(THINGS)).one())


async def test_every_type_gives_back_what_it_was_given(database: Database) -> None:
    """One row with a value of each type."""
    values = {
        "id": uuid4(),
        "at": AT,
        "span": timedelta(days=-3, microseconds=7),
        "json": {"a": [1, None, "\0", 10**40], "b": math.inf},
        "tags": ["b", "a", "ü\n\"'", "b"],
        "seconds": 0.1,
    }
    row = await keep(database, **values)
    assert row._asdict() == {"number": 1, **values}
    assert isinstance(row.id, UUID)
    assert hash(row.id) == hash(values["id"])
    assert row.at.tzinfo is UTC


async def test_null_is_none_in_every_type(database: Database) -> None:
    """None goes in as NULL."""
    row = await keep(database)
    assert row == (1, None, None, None, None, None, None)


@pytest.mark.parametrize(
    "at", [datetime(1, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC), datetime(1969, 12, 31, tzinfo=UTC)]
)
async def test_moments_at_the_ends_of_time(database: Database, at: datetime) -> None:
    """Every instant that Python knows can be kept."""
    assert (await keep(database, at=at)).at == at


async def test_moments_are_compared_and_shifted_by_the_database(database: Database) -> None:
    """Another offset is the same instant; timedeltas can be added and taken away."""
    elsewhere = AT.astimezone(timezone(timedelta(hours=9)))
    assert (await keep(database, at=elsewhere)).at == AT

    def compare(reader: Reader) -> tuple[Any, ...]:
        at = THINGS.c.at
        shifted = type_coerce(at + timedelta(minutes=1), Moment)
        return tuple(reader.execute(select(at == AT, at > AT - timedelta(microseconds=1), shifted)).one())

    assert await database.read(compare) == (True, True, AT + timedelta(minutes=1))


async def test_identifiers_sort_by_the_time_they_were_made(database: Database) -> None:
    """Both databases sort as Python does."""
    made = [new_id() for _ in range(50)]

    def store(tx: Transaction) -> list[UUID]:
        METADATA.create_all(tx.connection)
        tx.execute(insert(THINGS), [{"number": n, "id": id_} for n, id_ in enumerate(sorted(made, reverse=True))])
        return list(tx.execute(select(THINGS.c.id).order_by(THINGS.c.id)).scalars())

    assert await database.write(store) == sorted(made)


async def test_what_no_json_can_say_is_invalid(database: Database) -> None:
    """A lone surrogate, and more levels than are written."""
    deep: list[Any] = []
    for _ in range(300):
        deep = [deep]
    for value in ("\ud800", {"\ud800": 1}, deep):
        with pytest.raises(Invalid):
            await keep(database, json=value)


def test_json_that_is_written_can_be_read_at_every_depth() -> None:
    """The reader of the fast library stops at fewer levels than its writer."""
    deep: list[Any] = []
    for _ in range(250):
        deep = [deep]
    assert from_text(to_text(deep)) == deep


def test_not_a_number_is_kept() -> None:
    """NaN survives, though no standard has it."""
    assert math.isnan(from_text(to_text([math.nan]))[0])


@given(st.datetimes(timezones=st.just(UTC)))
def test_microseconds_are_exact(instant: datetime) -> None:
    """From a datetime to an integer and back."""
    assert from_micros(to_micros(instant)) == instant


def test_a_datetime_without_an_offset_is_refused() -> None:
    """Nobody guesses what it meant."""
    with pytest.raises(TypeError):
        to_micros(AT.replace(tzinfo=None))
