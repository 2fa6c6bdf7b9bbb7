"""What a driver's error means to the caller: the border where the drivers' exceptions become ours.

Each driver's meanings are in a module of its own, loaded with its engine: `sqlite_failures.py`,
`postgresql_failures.py`. What is not known there goes on up as the defect it is.
"""

from collections.abc import Callable
from typing import Any, Final, NoReturn, TypeVar

from sqlalchemy.exc import StatementError

from lightwell.errors import Invalid, LightwellError, Unavailable

E = TypeVar("E", bound=Exception)

_DRIVERS: Final[dict[type[Exception], Callable[[Any], LightwellError | None]]] = {}


def know(errors: type[E], meaning: Callable[[E], LightwellError | None]) -> None:
    """Have a driver's errors translated by `meaning`, which answers None where it knows none.

    Its messages are our own sentences: a driver's may hold values, hosts or users.
    """
    _DRIVERS[errors] = meaning


def raise_translated(error: BaseException, *, binding: bool = False) -> NoReturn:
    """Raise what `translated` makes of `error`, which may be `error` itself."""
    meaning = translated(error, binding=binding)
    if meaning is error:
        raise error
    raise meaning from meaning.__cause__


def translated(error: BaseException, *, binding: bool = False) -> BaseException:
    """One of `lightwell.errors` for a driver's error; anything else as it is, out of what SQLAlchemy wrapped around it.

    The driver's error is the cause of an Unavailable, which an operator must be able to look into; never of a Rejected,
    because its text may hold the caller's values. `binding`: `error` comes from a statement's execution, where Python's
    own errors of range and of text encoding are about a bound value.
    """
    cause = driver_error(error)
    if isinstance(cause, LightwellError):
        return cause
    meaning = _of_a_driver(cause)
    if binding and isinstance(cause, OverflowError):
        meaning = Invalid("A number is too large to be stored")
    elif binding and isinstance(cause, UnicodeError):
        meaning = Invalid("A text holds characters that cannot be stored")
    if meaning is None:
        return cause
    if isinstance(meaning, Unavailable):
        meaning.__cause__ = cause
    return meaning


def statement_of(error: Exception) -> str:
    """The text, with placeholders, of the statement that failed; empty when there was none."""
    return (error.statement or "") if isinstance(error, StatementError) else ""


def driver_error(error: BaseException) -> BaseException:
    """What the driver raised, without what SQLAlchemy has wrapped it in."""
    return (error.orig or error) if isinstance(error, StatementError) else error


def is_of_fetching(error: BaseException) -> bool:
    """Whether it was raised while rows of a statement were fetched: SQLAlchemy knows no statement then."""
    return isinstance(error, StatementError) and error.statement is None


def _of_a_driver(error: BaseException) -> LightwellError | None:
    return next((meaning(error) for errors, meaning in _DRIVERS.items() if isinstance(error, errors)), None)
