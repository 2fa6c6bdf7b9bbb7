"""What the errors of PostgreSQL's driver mean: to the caller, to the unit that met them, and to its connection."""

import psycopg

from lightwell.errors import Busy, Conflict, Invalid, LightwellError, TimedOut, Unavailable
from lightwell.storage.failures import driver_error

# SQLSTATE codes, or their first two characters.
_CONTENDED = frozenset({"40001", "40P01"})
_LOCK_NOT_AVAILABLE = "55P03"
_CANCELLED = frozenset({"57014", "25P04"})
_LOST = frozenset({"57P01", "57P02", "57P03", "57P05", "25P03"})
_LOST_CLASS = "08"
_CONSTRAINT_CLASS = "23"
_OUT_OF_RANGE = "22003"
# A text that is too long for an index, for example.
_LIMIT_EXCEEDED_CLASS = "54"
_OUT_OF_RESOURCES = frozenset({"53", "58"})


def is_contended(error: BaseException) -> bool:
    """Whether another transaction was in the way, so that the same unit may well succeed when it runs again."""
    return _sqlstate(error) in _CONTENDED


def is_lost(error: BaseException) -> bool:
    """Whether the connection is gone, or was refused."""
    cause = _driver_error(error)
    if isinstance(cause, psycopg.InterfaceError):
        return True
    state = _sqlstate(error)
    if state is None:
        return isinstance(cause, psycopg.OperationalError) and not _too_many_parameters(cause)
    return state[:2] == _LOST_CLASS or state in _LOST


def meaning_of(error: psycopg.Error) -> LightwellError | None:
    """Ours for an error of the driver, or None where it is a defect."""
    state = error.sqlstate or ""
    if state[:2] == _CONSTRAINT_CLASS:
        return Conflict("The change contradicts what is stored", constraint=error.diag.constraint_name)
    if _too_many_parameters(error):
        return Invalid("The request names too many values at once")
    if state == _OUT_OF_RANGE or state[:2] == _LIMIT_EXCEEDED_CLASS:
        return Invalid("A value is too large to be stored")
    if isinstance(error, psycopg.DataError):
        return Invalid("A value cannot be stored")
    return _unavailable(error, state)


def _unavailable(error: psycopg.Error, state: str) -> Unavailable | None:
    if state in _CONTENDED or state == _LOCK_NOT_AVAILABLE:
        return Busy("Other changes are in the way")
    if state in _CANCELLED:
        return TimedOut("The database took too long")
    if is_lost(error) or state[:2] in _OUT_OF_RESOURCES:
        return Unavailable("The database cannot be reached")
    return None


def _driver_error(error: BaseException) -> BaseException:
    return driver_error(error.__cause__ or error) if isinstance(error, LightwellError) else driver_error(error)


def _sqlstate(error: BaseException) -> str | None:
    cause = _driver_error(error)
    return cause.sqlstate if isinstance(cause, psycopg.Error) else None


def _too_many_parameters(error: psycopg.Error) -> bool:
    return "number of parameters must be" in str(error)
