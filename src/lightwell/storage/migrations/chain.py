"""Brings a database to a revision of the schema, or tells which it has; several processes may do so at once.

A whole move is one transaction under a lock of the database itself: an advisory lock on PostgreSQL, the write lock
of the file on SQLite. Who waited finds the work done. A process that dies leaves the revision that was there before.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import URL, Connection, NullPool, create_engine, event, text

from lightwell.errors import Invalid

Target = str | URL | Connection
"""A URL of a synchronous driver (`storage.database.parsed` makes one), or a connection.

One that is in a transaction is used as it is; on SQLite it must hold the write lock.
"""

_LOCK = 0x6C77_6D69_6772
_WAIT_SECONDS = 120
_DIRECTORY = Path(__file__).parent


def upgrade(target: Target, revision: str = "head") -> None:
    """Bring the database up to a revision; nothing happens when it is there already.

    Raises Invalid when there is no such revision, or the database is at one that this version does not know.
    """
    if revision == "head" and current(target) == head():
        return
    _move(target, lambda config: command.upgrade(config, revision))


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
    _move(target, lambda config: command.downgrade(config, revision))


def current(target: Target) -> str | None:
    """The revision that the database is at, or None when it has none of our tables."""
    with _connection(target, locking=False) as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head() -> str:
    """The newest revision of this version."""
    revision = ScriptDirectory(str(_DIRECTORY)).get_current_head()
    assert revision is not None  # noqa: S101 -- the chain ships with the package
    return revision


def _move(target: Target, run: Callable[[Config], None]) -> None:
    config = Config()
    config.set_main_option("script_location", str(_DIRECTORY).replace("%", "%%"))
    with _connection(target) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        _refuse_unknown(MigrationContext.configure(connection).get_current_revision())
        config.attributes["connection"] = connection
        try:
            run(config)
        except CommandError as error:
            raise Invalid(str(error)) from error


def _refuse_unknown(revision: str | None) -> None:
    known = {script.revision for script in ScriptDirectory(str(_DIRECTORY)).walk_revisions()}
    if revision is not None and revision not in known:
        raise Invalid(f"The database is at revision {revision}: this version of Lightwell is too old for it")


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
