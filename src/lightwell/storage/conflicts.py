"""Inserts that leave alone what is there already, for both databases."""

from sqlalchemy import Insert, Table
from sqlalchemy.dialects import postgresql, sqlite

from lightwell.storage.transaction import Dialect


def insert_if_absent(table: Table) -> dict[Dialect, Insert]:
    """Statements, by dialect, that insert a row unless a row has one of its unique keys; `rowcount` tells which."""
    return {
        "sqlite": sqlite.insert(table).on_conflict_do_nothing().execution_options(preserve_rowcount=True),
        "postgresql": postgresql.insert(table).on_conflict_do_nothing().execution_options(preserve_rowcount=True),
    }


def insert_or_replace(table: Table, key: list[str], changed: list[str]) -> dict[Dialect, Insert]:
    """Statements, by dialect, that insert a row, or change these columns of the row that has its key."""
    on_sqlite = sqlite.insert(table)
    on_postgresql = postgresql.insert(table)
    return {
        "sqlite": on_sqlite.on_conflict_do_update(
            index_elements=key, set_={name: on_sqlite.excluded[name] for name in changed}
        ),
        "postgresql": on_postgresql.on_conflict_do_update(
            index_elements=key, set_={name: on_postgresql.excluded[name] for name in changed}
        ),
    }
