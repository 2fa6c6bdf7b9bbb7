"""The file of the store: its schema, how it is opened, and what is done about one that cannot be used.

A file of its own and raw sqlite3, because telemetry must neither wait for the main database nor be recorded by what
records that.
"""

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Final

LOCK_SECONDS: Final = 5.0
"""How long the writer waits for another process that writes, or a program that copies the file."""

_BETWEEN_TRIES: Final = 0.05
_APPLICATION: Final = 0x4C575452
_VERSION: Final = 1
_PAGE: Final = 4096
_LARGEST_WAL: Final = 4 * 1024 * 1024
_CORRUPT: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_TROUBLES: Final = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_CORRUPT: "the file is corrupt",
    sqlite3.SQLITE_NOTADB: "the file is corrupt",
    sqlite3.SQLITE_READONLY: "the file or its directory is read-only",
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened",
    sqlite3.SQLITE_PERM: "the file cannot be opened",
    sqlite3.SQLITE_IOERR: "reading or writing the file failed",
    sqlite3.SQLITE_BUSY: "another program holds the file",
    sqlite3.SQLITE_LOCKED: "another program holds the file",
}

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS totals (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    last INTEGER NOT NULL,     -- the newest piece's number, also where that is gone
    spans INTEGER NOT NULL
);
INSERT OR IGNORE INTO totals VALUES (1, 0, 0);
CREATE TABLE IF NOT EXISTS pieces (
    seq INTEGER PRIMARY KEY,
    trace_id BLOB NOT NULL,
    stored INTEGER NOT NULL,   -- when, in seconds since 1970
    started INTEGER NOT NULL,  -- the first instant, in nanoseconds since 1970
    ended INTEGER NOT NULL,
    spans INTEGER NOT NULL,
    lines INTEGER NOT NULL,
    roots INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS pieces_of_trace ON pieces (trace_id);
CREATE TABLE IF NOT EXISTS entries (
    seq INTEGER PRIMARY KEY,   -- the piece's number << 10, and a number inside of the piece
    started INTEGER NOT NULL,
    took INTEGER NOT NULL,
    span_id BLOB NOT NULL,
    name TEXT NOT NULL,
    route TEXT,
    status INTEGER,
    failed INTEGER NOT NULL,
    reason TEXT,
    exception_type TEXT,
    exception_message TEXT,
    frame TEXT,
    failure INTEGER,           -- the same for failures that are grouped
    service TEXT
);
CREATE INDEX IF NOT EXISTS failed_entries ON entries (failed) WHERE failed = 1;
CREATE INDEX IF NOT EXISTS failures ON entries (failure, started) WHERE failure IS NOT NULL;
CREATE TABLE IF NOT EXISTS runs (
    piece INTEGER NOT NULL,
    run BLOB NOT NULL,
    PRIMARY KEY (piece, run)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS pieces_of_run ON runs (run, piece);
CREATE TABLE IF NOT EXISTS traffic (
    process TEXT NOT NULL,
    minute INTEGER NOT NULL,   -- since 1970
    body BLOB NOT NULL,
    PRIMARY KEY (process, minute)
) WITHOUT ROWID;
"""


class ForeignFileError(sqlite3.DatabaseError):
    """The file is a database of something else, which is left alone."""


def open_for_writing(path: Path | None) -> sqlite3.Connection:
    """The store's only writer of this process; makes what is not there. `path` None is memory.

    A corrupt file, or one of another version, is set aside as `NAME.corrupt`, and a new one begun. Raises
    sqlite3.Error and OSError where that does not help.
    """
    if path is None:
        return _prepared(sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False))
    path.parent.mkdir(parents=True, exist_ok=True)
    identity = identity_of(path)
    try:
        return _opened(path)
    except sqlite3.DatabaseError as error:
        if not is_corrupt(error):
            raise
    set_aside(path, identity)
    return _opened(path)


def open_for_reading(path: Path) -> sqlite3.Connection:
    """One of the readers; raises sqlite3.Error."""
    uri = f"{path.absolute().as_uri()}?mode=ro"
    return sqlite3.connect(uri, uri=True, timeout=1.0, isolation_level=None, check_same_thread=False)


def _opened(path: Path) -> sqlite3.Connection:
    """Processes that start together get into each other's way while one makes the file: they try again."""
    end = monotonic() + LOCK_SECONDS
    while True:
        connection = sqlite3.connect(path, timeout=LOCK_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            return _prepared(connection)
        except sqlite3.OperationalError as error:
            connection.close()
            if _code(error) != sqlite3.SQLITE_BUSY or monotonic() > end:
                raise
            sleep(_BETWEEN_TRIES)
        except BaseException:
            connection.close()
            raise


def _prepared(connection: sqlite3.Connection) -> sqlite3.Connection:
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if tables and application != _APPLICATION:
        raise ForeignFileError("the file is a database, but no store of traces")
    if tables and version != _VERSION:
        outdated = sqlite3.DatabaseError("the file is of another version")
        outdated.sqlite_errorcode = sqlite3.SQLITE_NOTADB
        raise outdated
    if not tables:
        connection.execute(f"PRAGMA page_size = {_PAGE}")
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA journal_size_limit = {_LARGEST_WAL}")
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in SCHEMA.split(";\n"):
            if statement.strip():
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {_APPLICATION}")
        connection.execute(f"PRAGMA user_version = {_VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
    return connection


def identity_of(path: Path) -> tuple[int, int] | None:
    """Which file that is: None where there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 -- for each batch; twice as fast
    except OSError:
        return None
    return found.st_dev, found.st_ino


def is_corrupt(error: BaseException) -> bool:
    """Whether the file, and not its surroundings, is the trouble."""
    return _code(error) in _CORRUPT


def trouble_of(error: BaseException) -> str:
    """What is the matter, for a person."""
    if isinstance(error, ForeignFileError):
        return str(error)
    return _TROUBLES.get(_code(error), "the file cannot be opened" if isinstance(error, OSError) else "it failed")


def _code(error: BaseException) -> int:
    return int(getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF


def set_aside(path: Path, identity: tuple[int, int] | None) -> None:
    """Give a corrupt file the name `NAME.corrupt`, in place of an older one; not a file that has come since."""
    if identity is None or identity_of(path) != identity:
        return
    aside = path.with_name(f"{path.name}.corrupt")
    forget_journal(path, aside)
    with suppress(OSError):
        path.replace(aside)


def forget_journal(path: Path, aside: Path | None = None) -> None:
    """Take the journal away from a file that is gone or set aside: a new file must not find it."""
    with suppress(OSError):
        journal = path.with_name(f"{path.name}-wal")
        if aside is None:
            journal.unlink()
        else:
            journal.replace(aside.with_name(f"{aside.name}-wal"))
    with suppress(OSError):
        path.with_name(f"{path.name}-shm").unlink()
