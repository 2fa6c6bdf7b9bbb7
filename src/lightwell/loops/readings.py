"""What is read from the database for metrics alone: seldom enough that it costs a hundredth of a core at most."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import wraps
from time import perf_counter
from typing import Any, Generic, TypeVar

from lightwell.errors import TimedOut
from lightwell.instrumentation import metrics
from lightwell.instrumentation.failures import fail
from lightwell.instrumentation.vocabulary import TICK_FAILED
from lightwell.storage.database import Database
from lightwell.storage.transaction import Reader

T = TypeVar("T")

_REST: float = 100
"""How many times as long as it took a reading rests."""
_AFTER_TIMEOUT_SECONDS = 1800.0


class Reading(Generic[T]):
    """A query, who is told what it found, and how often it is asked at most."""

    def __init__(
        self, query: Callable[[Reader], T], tell: Callable[[T], None], at_most_every: timedelta = timedelta(0)
    ) -> None:
        self._query = query
        self._tell = tell
        self._at_most_every = at_most_every.total_seconds()
        self._due = 0.0

    async def renew(self, database: Database, loop: str) -> int:
        """Ask if it is time; how often that was: once, or not at all.

        One that takes longer than a statement may is reported, and not asked again soon: that is no reason to call the
        loop stale, and with it the server not ready.
        """
        time = asyncio.get_running_loop().time
        if time() < self._due:
            return 0
        try:
            found, seconds = await database.read(_timed(self._query))
        except TimedOut as error:
            self._due = time() + _AFTER_TIMEOUT_SECONDS
            fail(error, TICK_FAILED, loop=loop)
            return 0
        self._due = time() + max(self._at_most_every, _REST * seconds)
        self._tell(found)
        return 1


async def renew(readings: Sequence[Reading[Any]], database: Database, loop: str) -> int:
    """Renew what is due, one after another; how many there were. Nothing, where nobody reads metrics."""
    if not metrics.LIVE:
        return 0
    return sum([await reading.renew(database, loop) for reading in readings])


def _timed(query: Callable[[Reader], T]) -> Callable[[Reader], tuple[T, float]]:
    """The query, and the seconds that it took in the database's thread."""

    @wraps(query)
    def timed(reader: Reader) -> tuple[T, float]:
        started = perf_counter()
        found = query(reader)
        return found, perf_counter() - started

    return timed
