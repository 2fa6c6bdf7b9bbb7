"""A small table and its verbs, to try the database engine with."""

from datetime import UTC, datetime

from sqlalchemy import BigInteger, CheckConstraint, Column, MetaData, Table, Text, func, insert, select, update

from lightwell.events.facts import Fact
from lightwell.storage.transaction import Reader, Transaction

METADATA = MetaData()
NOTES = Table(
    "note",
    METADATA,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("text", Text, nullable=False),
    Column("size", BigInteger, CheckConstraint("size >= 0", name="ck_note_size"), nullable=False, default=0),
)


def create(tx: Transaction) -> None:
    """Make the table."""
    METADATA.create_all(tx.connection)


def add(tx: Transaction, number: int, text: str = "", size: int = 0) -> int:
    """Add a note and return its number."""
    tx.execute(insert(NOTES), {"id": number, "text": text, "size": size})
    return number


def add_and_tell(tx: Transaction, number: int) -> None:
    """Add a note and state it."""
    add(tx, number)
    tx.emit(fact(number))


def add_and_fail(tx: Transaction, number: int) -> None:
    """Add a note, state it, and fail."""
    add_and_tell(tx, number)
    raise LookupError(number)


def rename(tx: Transaction, number: int, text: str) -> None:
    """Change a note's text."""
    tx.execute(update(NOTES).where(NOTES.c.id == number).values(text=text))


def numbers(reader: Reader) -> list[int]:
    """The numbers of all notes, in order."""
    return list(reader.execute(select(NOTES.c.id).order_by(NOTES.c.id)).scalars())


def count(reader: Reader) -> int:
    """How many notes there are."""
    return int(reader.execute(select(func.count()).select_from(NOTES)).scalar_one())


def text_of(reader: Reader, number: int) -> str:
    """A note's text."""
    return str(reader.execute(select(NOTES.c.text).where(NOTES.c.id == number)).scalar_one())


def fact(number: int) -> Fact:
    """That a note was added."""
    resource = {"prefect.resource.id": f"lightwell.note.{number}"}
    return Fact(occurred=datetime(2026, 1, 1, tzinfo=UTC), event="lightwell.note.added", resource=resource)
