"""Instants and lengths of time, as a person writes and reads them."""

from datetime import UTC, datetime, time, timedelta

from lightwell.errors import Invalid
from lightwell.settings.values import parse_duration

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0
_MILLI, _MICRO = 1e-3, 1e-6


def seconds_in(text: str) -> float:
    """`500ms`, `2s`, `1h`, or a plain number of seconds; raises Invalid."""
    duration = parse_duration(text)
    if not isinstance(duration, timedelta):
        raise Invalid(f"{text} is no length of time: 500ms, 2s, 15m and 1h are")
    return duration.total_seconds()


def instant_in(text: str, now: datetime) -> datetime:
    """How long ago (`1h`), a time of today (`03:10`), or an instant of ISO 8601, in `now`'s zone; raises Invalid."""
    duration = parse_duration(text)
    if isinstance(duration, timedelta):
        return now - duration
    try:
        return datetime.combine(now.date(), time.fromisoformat(text), tzinfo=now.tzinfo)
    except ValueError:
        pass
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(f"{text} is no time: 1h (ago), 03:10 (today) and 2026-01-31T03:10:00Z are") from None
    return instant if instant.tzinfo else instant.replace(tzinfo=now.tzinfo)


def parsed(text: str) -> datetime:
    """An instant as the API writes it, in the zone of whoever reads."""
    return datetime.fromisoformat(text).astimezone()


def sent(instant: datetime) -> str:
    """An instant as the API reads it."""
    return instant.astimezone(UTC).isoformat()


def shown(instant: datetime, now: datetime) -> str:
    """The time, and the day where it is another one."""
    return instant.strftime("%H:%M:%S" if instant.date() == now.date() else "%m-%d %H:%M:%S")


def ago(instant: datetime, now: datetime) -> str:
    """How long ago, roughly."""
    seconds = max(0.0, (now - instant).total_seconds())
    for size, unit in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit} ago"
    return f"{seconds:.0f} s ago"


def length(seconds: float) -> str:
    """A length of time with three digits: `950 µs`, `12.3 ms`, `1.50 s`, `2 min 5 s`, `3 h 20 min`."""
    if seconds < _MILLI:
        return f"{seconds / _MICRO:.0f} µs"
    if seconds < 1:
        return f"{_digits(seconds / _MILLI)} ms"
    if seconds < _MINUTE:
        return f"{_digits(seconds)} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE:.0f} min {seconds % _MINUTE:.0f} s"
    return f"{seconds // _HOUR:.0f} h {seconds % _HOUR / _MINUTE:.0f} min"


def _digits(number: float) -> str:
    return f"{number:.{2 if number < 10 else 1 if number < 100 else 0}f}"  # noqa: PLR2004 -- three digits of it
