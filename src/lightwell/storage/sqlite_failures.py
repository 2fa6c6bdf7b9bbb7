"""What the errors of SQLite's driver mean to the caller."""

import sqlite3
from collections.abc import Callable

from lightwell.errors import Busy, Conflict, Invalid, LightwellError, TimedOut, Unavailable

_STARTS: dict[str, str] = {
    "too many SQL variables": "The request names too many values at once",
    "Expression tree is too large": "The request names too many values at once",
    "LIKE or GLOB pattern too complex": "A pattern is too long to be searched for",
}
"""How the texts begin of errors that have no code of their own, and ours for them."""

_CODES: dict[int, Callable[[], Unavailable]] = {
    sqlite3.SQLITE_BUSY: lambda: Busy("Another program holds the database"),
    sqlite3.SQLITE_LOCKED: lambda: Busy("Another program holds the database"),
    sqlite3.SQLITE_INTERRUPT: lambda: TimedOut("The database took too long"),
    sqlite3.SQLITE_FULL: lambda: Unavailable("The disk of the database is full", retry_after=5),
    sqlite3.SQLITE_IOERR: lambda: Unavailable("The database file cannot be read or written", retry_after=5),
    sqlite3.SQLITE_CANTOPEN: lambda: Unavailable("The database file cannot be opened", retry_after=5),
}


def meaning_of(error: sqlite3.Error) -> LightwellError | None:
    """Ours for an error of the driver, or None where it is a defect."""
    if isinstance(error, sqlite3.IntegrityError):
        return Conflict("The change contradicts what is stored", constraint=str(error).partition("failed: ")[2] or None)
    if isinstance(error, sqlite3.DataError):
        return Invalid("A value is too large to be stored")
    for start, message in _STARTS.items():
        if str(error).startswith(start):
            return Invalid(message)
    make = _CODES.get(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF)
    return make() if make is not None else None
