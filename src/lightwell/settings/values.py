"""How a setting is written in an environment variable: durations, lists and database URLs."""

import re
from datetime import timedelta
from typing import Annotated
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from pydantic import BeforeValidator

_SECONDS_IN = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_NUMBER_AND_UNIT = re.compile(r"\s*(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>ms|[smhdw])?\s*\Z")


def parse_duration(value: object) -> object:
    """`"90"` and `"90s"` are ninety seconds; `"15m"`, `"12h"`, `"7d"` and `"2w"` are as they read."""
    if isinstance(value, str) and (match := _NUMBER_AND_UNIT.match(value)):
        return timedelta(seconds=float(match["number"]) * _SECONDS_IN[match["unit"] or "s"])
    return value


def write_duration(value: timedelta) -> str:
    """The shortest way to write a duration that `parse_duration` reads back."""
    seconds = value.total_seconds()
    for unit in ("w", "d", "h", "m"):
        if seconds >= _SECONDS_IN[unit] and seconds % _SECONDS_IN[unit] == 0:
            return f"{seconds / _SECONDS_IN[unit]:g}{unit}"
    return f"{seconds:g}s"


def parse_list(value: object) -> object:
    """`"a, b"` is a list of two."""
    if isinstance(value, str):
        return tuple(item.strip() for item in value.split(",") if item.strip())
    return value


def parse_optional(value: object) -> object:
    """An empty variable, or the word none, chooses nothing."""
    if isinstance(value, str) and value.strip().lower() in {"", "none"}:
        return None
    return value


_DIALECTS = {"sqlite": "sqlite", "postgres": "postgresql", "postgresql": "postgresql"}


def database_url(url: str) -> str:
    """The URL of a database without the name of a Python driver, whoever wrote it for which.

    Raises ValueError for what is neither SQLite nor PostgreSQL.
    """
    dialect, separator, rest = url.strip().partition("://")
    name = _DIALECTS.get(dialect.partition("+")[0].lower())
    if not separator or name is None:
        message = "must begin with sqlite:/// or postgresql://"
        raise ValueError(message)
    if name == "sqlite":
        return f"sqlite://{rest}"
    parts = urlsplit(f"postgresql://{rest}")
    query = [("sslmode" if key == "ssl" else key, value) for key, value in parse_qsl(parts.query)]
    return urlunsplit(parts._replace(query=urlencode(query)))


def without_password(url: str) -> str:
    """A database URL that can be shown."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    user, host = quote(parts.username or "", safe="%"), parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{user}:****@{host}"))


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
Names = Annotated[tuple[str, ...], BeforeValidator(parse_list)]
