"""Instants and durations: nanoseconds inside of the store, datetimes and seconds outside."""

from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_SECOND: Final = 1e9


def instant_of(nanoseconds: int) -> datetime:
    """The instant, to the microsecond."""
    return _EPOCH + timedelta(microseconds=nanoseconds // 1000)


def nanoseconds_of(instant: datetime) -> int:
    """Nanoseconds since 1970, within what a column can hold."""
    return min(max((instant - _EPOCH) // _MICROSECOND * 1000, 0), 2**63 - 1)


def seconds_of(nanoseconds: int) -> float:
    """A duration."""
    return nanoseconds / _SECOND
