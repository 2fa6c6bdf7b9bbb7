"""What a server has left in its store of traces, as text that can be searched."""

import sqlite3
from contextlib import closing
from pathlib import Path

from lightwell.telemetry.packing import unpack

_PIECES = "SELECT trace_id, body FROM pieces"


def text_of_store(path: Path) -> str:
    """Every value of every row of the file, and what its blobs hold; `path` is that of a server that has ended."""
    with closing(sqlite3.connect(path)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        rows = [repr(row) for name in tables for row in connection.execute(f'SELECT * FROM "{name}"')]  # noqa: S608
        pieces = [repr(unpack(trace_id, body)) for trace_id, body in connection.execute(_PIECES)]
    return "\n".join((*rows, *pieces))
