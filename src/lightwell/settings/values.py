"""How a setting is written in an environment variable: durations, lists and database URLs."""

import re
from datetime import timedelta
from typing import Annotated, NamedTuple
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from pydantic import BeforeValidator

_SECONDS_IN = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_NUMBER_AND_UNIT = re.compile(r"\s*(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>ms|[smhdw])?\s*\Z")

_SLOW_NAME = re.compile(
    r"((GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|websocket|websocket batch) )?/[^\s?#=]*|loop [a-z_]+", re.ASCII
)
_LEAST_SLOW = timedelta(milliseconds=1)
_MOST_SLOW = timedelta(hours=1)


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


class SlowRule(NamedTuple):
    """A time after which something is slow: what, by the name of its traces or by its route, and when."""

    what: str
    after: timedelta

    def __str__(self) -> str:
        """As it is written in an environment variable."""
        return f"{self.what}={write_duration(self.after)}"


def parse_slow_rules(value: object) -> object:
    """`"POST /api/flow_runs/filter=3s, loop late_runs=10s"`; raises ValueError with what is wrong with which."""
    items = parse_list(value)
    if not isinstance(items, tuple | list):
        return value
    rules = tuple(_slow_rule(item) if isinstance(item, str) else SlowRule(*item) for item in items)
    names = [rule.what for rule in rules]
    for name in names:
        if names.count(name) > 1:
            message = f"{name} is there twice"
            raise ValueError(message)
    return rules


def _slow_rule(text: str) -> SlowRule:
    what, separator, time = text.rpartition("=")
    name = " ".join(what.split())
    after = parse_duration(time)
    if not separator or not isinstance(after, timedelta):
        message = f"{text!r} says no time: write it as in POST /api/flow_runs/filter=3s"
        raise ValueError(message)
    if not _SLOW_NAME.fullmatch(name):
        message = f"{name!r} is no route with or without its method, as in POST /api/flow_runs/filter, and no loop"
        raise ValueError(message)
    if not _LEAST_SLOW <= after <= _MOST_SLOW:
        message = f"{text!r} must be from {write_duration(_LEAST_SLOW)} to {write_duration(_MOST_SLOW)}"
        raise ValueError(message)
    return SlowRule(name, after)


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
SlowRules = Annotated[tuple[SlowRule, ...], BeforeValidator(parse_slow_rules)]
Names = Annotated[tuple[str, ...], BeforeValidator(parse_list)]
