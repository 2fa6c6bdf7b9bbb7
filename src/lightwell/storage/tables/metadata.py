"""The collection of all tables, the names of their constraints, and the text that both databases sort alike."""

from typing import Any

from sqlalchemy import Index, MetaData, Text

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s__%(column_0_N_name)s",
        "uq": "uq_%(table_name)s__%(column_0_N_name)s",
        "fk": "fk_%(table_name)s__%(column_0_name)s__%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Words = Text().with_variant(Text(collation="C"), "postgresql")
"""Text that is compared and sorted by its bytes on both databases, whatever locale PostgreSQL was made with."""


def ordered_index(name: str, *columns: str, nullable: str, **options: Any) -> Index:
    """An index that serves an ascending sort with NULLs first, and the reverse, on both databases.

    SQLite knows no other place for NULL; PostgreSQL has to be told, for the column `nullable`.
    """
    return Index(name, *columns, postgresql_ops={nullable: "NULLS FIRST"}, **options)


def tags_index(name: str, column: str) -> Index:
    """An index into lists of tags, where the database has such a thing."""
    return Index(name, column, postgresql_using="gin").ddl_if(dialect="postgresql")
