"""How large the tables are, as the databases themselves estimate it; nothing is counted row by row."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import text

from lightwell.storage.tables import METADATA
from lightwell.storage.transaction import Reader

_NAMES = sorted(METADATA.tables)
_HAVE_ROWIDS = [name for name in _NAMES if METADATA.tables[name].dialect_options["sqlite"]["with_rowid"]]
# Both ends of the rowids are found at once, if each is asked for by itself.
_SPAN = '(SELECT coalesce(max(rowid), 0) FROM "{0}") - (SELECT coalesce(min(rowid), 1) FROM "{0}") + 1'
_SQLITE_ROWS = text(" UNION ALL ".join(f"SELECT '{name}', {_SPAN.format(name)}" for name in _HAVE_ROWIDS))
_SQLITE_SIZE = text("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
_POSTGRESQL = text(
    "SELECT relname, greatest(pg_stat_get_live_tuples(oid), 0), greatest(reltuples, 0)::bigint,"
    " pg_total_relation_size(oid) FROM pg_class"
    " WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace AND relname = ANY(:names)"
)
_POSTGRESQL_SIZE = text("SELECT pg_database_size(current_database())")


@dataclass(frozen=True, slots=True)
class Sizes:
    """The estimated rows of each table and its bytes with its indexes, where the database knows; its own bytes."""

    rows: Mapping[str, int]
    sizes: Mapping[str, int]
    database: int


def measure(reader: Reader) -> Sizes:
    """Look them up: on SQLite the rows by the span of their rowids, which deletions in the middle do not shorten."""
    if reader.dialect == "sqlite":
        rows = {row[0]: row[1] for row in reader.execute(_SQLITE_ROWS)}
        return Sizes(rows, {}, reader.execute(_SQLITE_SIZE).scalar_one())
    found = reader.execute(_POSTGRESQL, {"names": _NAMES}).all()
    # Statistics are lost in a crash, and come back with the next ANALYZE.
    rows = {name: live or analysed for name, live, analysed, _ in found}
    sizes = {name: size for name, _, _, size in found}
    return Sizes(rows, sizes, reader.execute(_POSTGRESQL_SIZE).scalar_one())
