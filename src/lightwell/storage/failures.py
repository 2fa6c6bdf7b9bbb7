"""What a driver's error means to the caller: the border where sqlite3's and psycopg's exceptions become ours.

Messages are our own sentences: a driver's may hold values, hosts or users. What is not known here goes on up as the
defect it is.
"""

import sqlite3
from collections.abc import Callable
from typing import NoReturn

import psycopg
from sqlalchemy.exc import DBAPIError, StatementError

from lightwell.errors import Busy, Conflict, Invalid, LightwellError, TimedOut, Unavailable

# SQLSTATE codes, or their first two characters.
_CONTENDED = frozenset({"40001", "40P01"})
_LOCK_NOT_AVAILABLE = "55P03"
_CANCELLED = frozenset({"57014", "25P04"})
_LOST = frozenset({"57P01", "57P02", "57P03", "57P05", "25P03"})
_LOST_CLASS = "08"
_OUT_OF_RANGE = "22003"
# A text that is too long for an index, for example.
_LIMIT_EXCEEDED_CLASS = "54"
_OUT_OF_RESOURCES = frozenset({"53", "58"})

_CONFLICT = "The change contradicts what is stored"
_TOO_LARGE = "A value is too large to be stored"
_TOO_MANY = "The request names too many values at once"
_TOO_LONG_A_PATTERN = "A pattern is too long to be searched for"
_TOO_LONG = "The database took too long"


def raise_translated(error: BaseException, *, binding: bool = False) -> NoReturn:
    """Raise what `translated` makes of `error`, which may be `error` itself."""
    meaning = translated(error, binding=binding)
    if meaning is error:
        raise error
    raise meaning from meaning.__cause__


def translated(error: BaseException, *, binding: bool = False) -> BaseException:
    """One of `lightwell.errors` for a driver's error; anything else as it is.

    The driver's error is the cause of an Unavailable, which an operator must be able to look into; never of a Rejected,
    because its text may hold the caller's values. `binding`: `error` comes from a statement's execution, where Python's
    own errors of range and of text encoding are about a bound value.
    """
    cause = error.orig if isinstance(error, StatementError) else error
    if isinstance(cause, LightwellError):
        return cause
    meaning: LightwellError | None = None
    if isinstance(cause, sqlite3.Error):
        meaning = _from_sqlite(cause)
    elif isinstance(cause, psycopg.Error):
        meaning = _from_postgresql(cause)
    elif binding and isinstance(cause, OverflowError):
        meaning = Invalid("A number is too large to be stored")
    elif binding and isinstance(cause, UnicodeError):
        meaning = Invalid("A text holds characters that cannot be stored")
    if meaning is None:
        return error
    if isinstance(meaning, Unavailable):
        meaning.__cause__ = error
    return meaning


def statement_of(error: Exception) -> str:
    """The text, with placeholders, of the statement that failed; empty when there was none."""
    return (error.statement or "") if isinstance(error, StatementError) else ""


def is_contended(error: BaseException) -> bool:
    """Whether another transaction was in the way, so that the same unit may well succeed when it runs again."""
    return _sqlstate(error) in _CONTENDED


def is_lost(error: BaseException) -> bool:
    """Whether the connection to PostgreSQL is gone, or was refused."""
    cause = _driver_error(error)
    if isinstance(cause, psycopg.InterfaceError):
        return True
    state = _sqlstate(error)
    if state is None:
        return isinstance(cause, psycopg.OperationalError) and not _too_many_parameters(cause)
    return state[:2] == _LOST_CLASS or state in _LOST


def _driver_error(error: BaseException) -> BaseException | None:
    if isinstance(error, LightwellError):
        error = error.__cause__ or error
    return error.orig if isinstance(error, DBAPIError) else error


def _sqlstate(error: BaseException) -> str | None:
    cause = _driver_error(error)
    return cause.sqlstate if isinstance(cause, psycopg.Error) else None


def _from_sqlite(error: sqlite3.Error) -> LightwellError | None:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if isinstance(error, sqlite3.IntegrityError):
        return Conflict(_CONFLICT, constraint=str(error).partition("failed: ")[2] or None)
    if isinstance(error, sqlite3.DataError):
        return Invalid(_TOO_LARGE)
    if str(error).startswith(("too many SQL variables", "Expression tree is too large")):
        return Invalid(_TOO_MANY)
    if str(error).startswith("LIKE or GLOB pattern too complex"):
        return Invalid(_TOO_LONG_A_PATTERN)
    make = _SQLITE_MEANINGS.get(code)
    return make() if make is not None else None


_SQLITE_MEANINGS: dict[int, Callable[[], Unavailable]] = {
    sqlite3.SQLITE_BUSY: lambda: Busy("Another program holds the database"),
    sqlite3.SQLITE_LOCKED: lambda: Busy("Another program holds the database"),
    sqlite3.SQLITE_INTERRUPT: lambda: TimedOut(_TOO_LONG),
    sqlite3.SQLITE_FULL: lambda: Unavailable("The disk of the database is full", retry_after=5),
    sqlite3.SQLITE_IOERR: lambda: Unavailable("The database file cannot be read or written", retry_after=5),
    sqlite3.SQLITE_CANTOPEN: lambda: Unavailable("The database file cannot be opened", retry_after=5),
}


def _from_postgresql(error: psycopg.Error) -> LightwellError | None:
    state = error.sqlstate or ""
    if state[:2] == "23":
        return Conflict(_CONFLICT, constraint=error.diag.constraint_name)
    if _too_many_parameters(error):
        return Invalid(_TOO_MANY)
    if state == _OUT_OF_RANGE or state[:2] == _LIMIT_EXCEEDED_CLASS:
        return Invalid(_TOO_LARGE)
    if isinstance(error, psycopg.DataError):
        return Invalid("A value cannot be stored")
    return _unavailable(error, state)


def _unavailable(error: psycopg.Error, state: str) -> Unavailable | None:
    if state in _CONTENDED or state == _LOCK_NOT_AVAILABLE:
        return Busy("Other changes are in the way")
    if state in _CANCELLED:
        return TimedOut(_TOO_LONG)
    if is_lost(error) or state[:2] in _OUT_OF_RESOURCES:
        return Unavailable("The database cannot be reached")
    return None


def _too_many_parameters(error: psycopg.Error) -> bool:
    return "number of parameters must be" in str(error)
