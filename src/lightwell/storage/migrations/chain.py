"""Brings a database to a revision of the schema, or tells which it has; several processes may do so at once.

A whole move is one transaction under a lock of the database itself: an advisory lock on PostgreSQL, the write lock
of the file on SQLite. Who waited finds the work done. A process that dies leaves the revision that was there before.

An empty SQLite file gets its tables as the code knows them, which are those that the scripts of the chain make. The
scripts need Alembic (`moves.py`): it is loaded when there is something to move, which at most starts there is not.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    URL,
    Column,
    Connection,
    MetaData,
    NullPool,
    PrimaryKeyConstraint,
    String,
    Table,
    create_engine,
    event,
    select,
    text,
)

from lightwell.errors import Invalid
from lightwell.kit.late import load
from lightwell.storage.tables import METADATA

Target = str | URL | Connection
"""A URL of a synchronous driver (`storage.database.parsed` makes one), or a connection.

One that is in a transaction is used as it is; on SQLite it must hold the write lock.
"""

NEWEST: Final = "head"
"""The newest revision, whichever it is."""

_LOCK = 0x6C77_6D69_6772
_WAIT_SECONDS = 120
_VERSION = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""Alembic's own, where the revision is kept."""


def upgrade(target: Target, revision: str = NEWEST) -> None:
    """Bring the database up to a revision; nothing happens when it is there already.

    Raises Invalid when there is no such revision, or the database is at one that this version does not know.
    """
    if revision == NEWEST and current(target) == head():
        return
    with _moving(target) as connection:
        present = _revision_of(connection)
        if revision == NEWEST and present == head():
            return
        # Not on PostgreSQL: SQLAlchemy marks a reference that it adds to a table there as one to leave out of tables.
        if revision == NEWEST and present is None and connection.dialect.name == "sqlite":
            _make(connection)
        else:
            _move("upgrade", connection, revision)


def require(target: Target) -> None:
    """Raise Invalid when the database is not at the newest revision of this version."""
    revision = current(target)
    _refuse_unknown(revision)
    if revision != head():
        have = "has no tables yet" if revision is None else f"is at revision {revision}"
        raise Invalid(f"The database {have}, and {head()} is needed: run `lightwell database upgrade`")


def prepare(target: Target, *, migrate: bool) -> None:
    """Have the newest revision: bring it about if `migrate`, else insist on it. Raises Invalid as both of them do."""
    (upgrade if migrate else require)(target)


def downgrade(target: Target, revision: str = "base") -> None:
    """Take the database down to a revision; `base` leaves no table. Raises Invalid as `upgrade` does."""
    with _moving(target) as connection:
        _move("downgrade", connection, revision)


def current(target: Target) -> str | None:
    """The revision that the database is at, or None when it has none of our tables."""
    with _connection(target, locking=False) as connection:
        return _revision_of(connection)


def head() -> str:
    """The newest revision of this version."""
    return max(revisions())


@cache
def revisions() -> frozenset[str]:
    """All revisions of this version: the scripts are named for them, and their order is that of their names."""
    scripts = (Path(__file__).parent / "versions").glob("v*_*.py")
    return frozenset(script.name.partition("_")[0].removeprefix("v") for script in scripts)


def _revision_of(connection: Connection) -> str | None:
    if not connection.dialect.has_table(connection, _VERSION.name):
        return None
    return connection.execute(select(_VERSION.c.version_num)).scalar_one_or_none()


def _make(connection: Connection) -> None:
    METADATA.create_all(connection, checkfirst=False)
    _VERSION.create(connection, checkfirst=True)
    connection.execute(_VERSION.insert().values(version_num=head()))


def _move(direction: str, connection: Connection, revision: str) -> None:
    run: Callable[[Connection, str], None] = load(f"lightwell.storage.migrations.moves:{direction}")
    run(connection, revision)


def _refuse_unknown(revision: str | None) -> None:
    if revision is not None and revision not in revisions():
        raise Invalid(f"The database is at revision {revision}: this version of Lightwell is too old for it")


@contextmanager
def _moving(target: Target) -> Iterator[Connection]:
    """A connection inside a transaction that nobody else moves in, at a revision that is known."""
    with _connection(target) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        _refuse_unknown(_revision_of(connection))
        yield connection


@contextmanager
def _connection(target: Target, *, locking: bool = True) -> Iterator[Connection]:
    """A connection inside a transaction, which on SQLite holds the write lock if `locking`."""
    if isinstance(target, Connection):
        if target.in_transaction():
            yield target
            return
        with target.begin():
            yield target
        return
    engine = create_engine(target, poolclass=NullPool)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _manual_transactions)
        event.listen(engine, "begin", _begin_immediate if locking else _begin)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def _manual_transactions(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {_WAIT_SECONDS * 1000}")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
