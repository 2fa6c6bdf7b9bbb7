"""A database whose time stands still until a test moves it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from lightwell.events.bus import Bus
from lightwell.storage.database import Database, open_database, parsed
from lightwell.storage.migrations import chain


class MovingClock:
    """Shows noon, and later what it was moved to."""

    def __init__(self) -> None:
        self._now = datetime(2026, 6, 1, 12, tzinfo=UTC)

    def now(self) -> datetime:
        """The present, as far as anybody is told."""
        return self._now

    def move(self, **span: float) -> None:
        """Let a timedelta's keywords pass."""
        self._now += timedelta(**span)


@asynccontextmanager
async def timed_store(url: str, clock: MovingClock, bus: Bus) -> AsyncIterator[Database]:
    """A started database at the newest revision, whose units are given this clock's time."""
    await asyncio.to_thread(chain.upgrade, parsed(url))
    opened = open_database(url, clock=clock, bus=bus)
    await opened.start()
    try:
        yield opened
    finally:
        await opened.stop()
