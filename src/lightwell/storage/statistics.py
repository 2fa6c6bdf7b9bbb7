"""How much is stored, for an operator who asks (`lightwell database stats`); counting every row may take a while."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select, text

from lightwell.storage.tables import METADATA
from lightwell.storage.transaction import Reader

_SIZE = {
    "sqlite": text("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"),
    "postgresql": text("SELECT pg_database_size(current_database())"),
}


@dataclass(frozen=True, slots=True)
class Statistics:
    """The size of the database in bytes, and the number of rows of each table."""

    size: int
    rows: Mapping[str, int]


def measure(reader: Reader) -> Statistics:
    """Count the rows of all tables."""
    size: int = reader.execute(_SIZE[reader.dialect]).scalar_one()
    counts = {
        table.name: reader.execute(select(func.count()).select_from(table)).scalar_one()
        for table in sorted(METADATA.tables.values(), key=lambda table: table.name)
    }
    return Statistics(size, counts)
