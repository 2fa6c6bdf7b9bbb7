"""The chain of migrations makes exactly the tables that the code knows, on both databases, once."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, create_engine, inspect, text

from lightwell.errors import Invalid
from lightwell.storage.database import parsed
from lightwell.storage.migrations import chain
from lightwell.storage.tables import METADATA


@pytest.fixture
def url(database_url: str) -> URL:
    """An empty database of either kind."""
    return parsed(database_url)


@contextmanager
def _connected(url: URL) -> Iterator[Connection]:
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def _schema(connection: Connection) -> dict[str, Any]:
    """Everything about the tables, as the database itself tells it."""
    if connection.dialect.name == "sqlite":
        rows = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
        return {
            name: " ".join(sorted(sql.replace(",", " ").split())) for name, sql in rows if name != "alembic_version"
        }
    look = inspect(connection)
    found: dict[str, Any] = {}
    for table in look.get_table_names():
        if table == "alembic_version":
            continue
        columns = [(c["name"], repr(c["type"]), c["nullable"], c.get("computed")) for c in look.get_columns(table)]
        keys = (look.get_pk_constraint(table), look.get_foreign_keys(table), look.get_unique_constraints(table))
        found[table] = (columns, *(sorted(map(repr, key)) if isinstance(key, list) else repr(key) for key in keys))
    indexes = connection.execute(text("SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"))
    return found | {name: definition for name, definition in indexes if name != "alembic_version_pkc"}


def _version_table(connection: Connection) -> tuple[Any, ...]:
    look = inspect(connection)
    columns = [(c["name"], repr(c["type"]), c["nullable"]) for c in look.get_columns("alembic_version")]
    rows = connection.execute(text("SELECT * FROM alembic_version")).all()
    return columns, look.get_pk_constraint("alembic_version"), rows


def test_the_chain_makes_the_tables_that_the_code_knows(url: URL) -> None:
    """Columns, keys, references and indexes are the same, made by the chain or from the tables themselves."""
    chain.upgrade(url, chain.head())
    with _connected(url) as connection:
        migrated = _schema(connection)
    chain.downgrade(url)
    with _connected(url) as connection:
        assert _schema(connection) == {}
        # On PostgreSQL the tables that are made are marked, and would be others on SQLite after that.
        deepcopy(METADATA).create_all(connection)
        assert _schema(connection) == migrated


def test_an_empty_database_gets_what_the_chain_makes(url: URL) -> None:
    """The tables are made at once or by the scripts: neither they nor where the revision is kept tell which."""
    chain.upgrade(url, chain.head())
    with _connected(url) as connection:
        migrated = _schema(connection), _version_table(connection)
    chain.downgrade(url)
    with _connected(url) as connection:
        connection.execute(text("DROP TABLE alembic_version"))
    chain.upgrade(url)
    with _connected(url) as connection:
        assert (_schema(connection), _version_table(connection)) == migrated


def test_scripts_are_named_for_their_revisions() -> None:
    """What the files' names say is the one line that the scripts themselves make."""
    scripts = list(ScriptDirectory(str(Path(chain.__file__).parent)).walk_revisions())

    assert [script.revision for script in scripts] == sorted(chain.revisions(), reverse=True)


def test_up_and_down_and_up_again(url: URL) -> None:
    """The database knows where it is; going up where it is already does nothing."""
    assert chain.current(url) is None
    chain.upgrade(url)
    assert chain.current(url) == chain.head()
    chain.upgrade(url)
    chain.downgrade(url)
    assert chain.current(url) is None
    chain.upgrade(url)
    assert chain.current(url) == chain.head()


def test_each_step_down_can_be_taken_back(url: URL) -> None:
    """Whoever goes down one revision after another and up again has the same tables."""
    chain.upgrade(url)
    with _connected(url) as connection:
        newest = _schema(connection)
    while chain.current(url) is not None:
        chain.downgrade(url, "-1")
    with _connected(url) as connection:
        assert _schema(connection) == {}
    while chain.current(url) != chain.head():
        chain.upgrade(url, "+1")
    with _connected(url) as connection:
        assert _schema(connection) == newest


async def test_several_that_start_at_once_migrate_once(url: URL) -> None:
    """Each of them finds the tables there afterwards, whoever made them."""
    await asyncio.gather(*(asyncio.to_thread(chain.upgrade, url) for _ in range(6)))
    assert chain.current(url) == chain.head()


def test_a_newer_database_is_refused(url: URL) -> None:
    """A version that does not know the database's revision leaves it alone."""
    chain.upgrade(url)
    with _connected(url) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'future'"))
    with pytest.raises(Invalid, match="future"):
        chain.upgrade(url)
    with pytest.raises(Invalid):
        chain.downgrade(url)


@pytest.mark.parametrize("revision", ["none-of-ours", "-9"])
def test_a_revision_that_there_is_not_is_refused(url: URL, revision: str) -> None:
    """And the database stays where it is."""
    chain.upgrade(url)
    with pytest.raises(Invalid):
        chain.downgrade(url, revision)
    assert chain.current(url) == chain.head()


def test_who_may_not_migrate_insists_on_the_newest(url: URL) -> None:
    """A schema that is behind, or not there, is told with what to do about it."""
    with pytest.raises(Invalid, match=r"no tables yet.*lightwell database upgrade"):
        chain.prepare(url, migrate=False)
    chain.upgrade(url, "+1")
    with pytest.raises(Invalid, match=rf"at revision {chain.current(url)}.*lightwell database upgrade"):
        chain.prepare(url, migrate=False)
    chain.prepare(url, migrate=True)
    chain.prepare(url, migrate=False)
    assert chain.current(url) == chain.head()


def test_a_connection_may_be_given(url: URL) -> None:
    """Inside somebody's transaction the move is part of it."""
    with _connected(url) as connection:
        if connection.dialect.name == "postgresql":
            chain.upgrade(connection)
            assert chain.current(connection) == chain.head()
            connection.rollback()
    if url.get_backend_name() == "postgresql":
        assert chain.current(url) is None
