"""What an exception is called and how it reads in telemetry, and whether it is a failure of the server.

Messages of database drivers and of validation repeat what was sent, so those are told by code, type and place alone.
"""

import re
import traceback
from typing import Final

from pydantic import ValidationError

from lightwell.errors import LightwellError, Rejected

OK: Final = "ok"

_LONGEST_CHAIN: Final = 5
_LONGEST_STACK: Final = 16_000
_LONGEST_MESSAGE: Final = 4_000
_DRIVERS: Final = frozenset({"sqlalchemy", "psycopg", "sqlite3"})
_OF_THE_SCHEMA: Final = re.compile(
    r"no such (?:table|column|index): [\w.]+"
    r"|table \w+ has no column named \w+"
    r"|(?:UNIQUE|NOT NULL|FOREIGN KEY) constraint failed(?:: [\w.]+(?:, [\w.]+)*)?"
    r"|attempt to write a readonly database|database or disk is full|disk I/O error"
    r"|database disk image is malformed|database is locked|unable to open database file"
    r"|(?:relation|column) \"?[\w.]+\"?(?: of relation \"\w+\")? does not exist"
    r"|permission denied for (?:table|schema) \w+"
)
"""What drivers say with names of tables and columns alone: statements are this server's own, so those are too."""
_QUOTED: Final = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", re.DOTALL)


def qualified_name(error: BaseException) -> str:
    """The `error.type` of an exception: its module and name, without the module for Python's own."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def outcome_of(error: BaseException | None) -> str:
    """`ok`, the plain name of one of our own errors (`NotFound`), or a qualified name."""
    if error is None:
        return OK
    return type(error).__name__ if isinstance(error, LightwellError) else qualified_name(error)


def failed(error: BaseException | None) -> bool:
    """Whether it is ours or time's to mend: what the caller can mend is an answer, a cancelled wait nobody's fault."""
    return isinstance(error, Exception) and not isinstance(error, Rejected)


def message_of(error: BaseException) -> str:
    """The exception's message, not longer than a page, without values that were sent to a driver or to validation.

    What errors of value and of lookup quote ("'abc' is no valid colour") is left out: it is data, while names that
    other errors quote are code.
    """
    if isinstance(error, ValidationError):
        places = (f"{'.'.join(map(str, one['loc']))}: {one['type']}" for one in error.errors(include_input=False))
        return f"{error.error_count()} errors for {error.title}: {', '.join(places)}"
    if type(error).__module__.partition(".")[0] in _DRIVERS:
        return _said_by_driver(getattr(error, "orig", None) or error)
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 -- somebody else's __str__ must not hide the failure that is being told
        return ""
    shown = _QUOTED.sub("'*'", text) if isinstance(error, ValueError | LookupError) else text
    return shown if len(shown) <= _LONGEST_MESSAGE else f"{shown[:_LONGEST_MESSAGE]} …"


def code_of(error: BaseException) -> str | None:
    """What a driver's error is, in the database's own codes: an SQLSTATE, or `SQLITE_...`."""
    return getattr(error, "sqlstate", None) or getattr(error, "sqlite_errorname", None)


def _said_by_driver(error: BaseException) -> str:
    """The code, and what was said where that speaks of the schema or of the file alone."""
    code = code_of(error) or ""
    shown = code if not code or code.startswith("SQLITE") else f"SQLSTATE {code}"
    said = str(error.args[0]).partition("\n")[0] if error.args else ""
    return f"{shown}: {said}" if shown and _OF_THE_SCHEMA.fullmatch(said) else shown


def stack_of(error: BaseException) -> str:
    """The traceback as text, causes first; of one that is very long the beginning and more of the end."""
    parts: list[str] = []
    present: BaseException | None = error
    while present is not None and len(parts) < _LONGEST_CHAIN:
        frames = "".join(traceback.format_tb(present.__traceback__))
        parts.append(f"Traceback (most recent call last):\n{frames}{qualified_name(present)}: {message_of(present)}\n")
        following = present.__cause__
        if following is None and not present.__suppress_context__:
            following = present.__context__
        present = following
    text = "\nwhich led to\n\n".join(reversed(parts))
    if len(text) <= _LONGEST_STACK:
        return text
    head = _LONGEST_STACK // 4
    return f"{text[:head]}\n…\n{text[head - _LONGEST_STACK :]}"
