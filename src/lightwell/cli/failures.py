"""How commands fail: one clear line on standard error and an exit status, never a stack."""

from collections.abc import Callable
from functools import wraps
from typing import NoReturn, ParamSpec, TypeVar

import typer

from lightwell.errors import LightwellError
from lightwell.settings import SettingsError

P = ParamSpec("P")
T = TypeVar("T")

CANNOT = 1
ASKED_WRONGLY = 2


def fail(message: str, status: int = CANNOT) -> NoReturn:
    """End the command with this message and exit status."""
    for line in message.splitlines():
        typer.echo(f"lightwell: {line}", err=True)
    raise typer.Exit(status)


def told_plainly(command: Callable[P, T]) -> Callable[P, T]:
    """Make a command end with the message of a foreseen error instead of its stack; defects keep theirs."""

    @wraps(command)
    def telling(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return command(*args, **kwargs)
        except SettingsError as error:
            fail(str(error), ASKED_WRONGLY)
        except LightwellError as error:
            fail(error.message)

    return telling
