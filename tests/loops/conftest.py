"""A database with all tables, that stores facts and whose clock is moved by hand."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from lightwell.events.bus import Bus
from lightwell.storage.database import Database, open_database, parsed
from lightwell.storage.events import store_facts
from lightwell.storage.migrations import chain
from tests.storage.rows.making import NOON


class HandClock:
    """A clock that stands at noon until it is moved."""

    def __init__(self) -> None:
        self._now = NOON

    def now(self) -> datetime:
        """The instant that it shows."""
        return self._now

    def advance(self, **span: float) -> None:
        """Move it by a timedelta's keywords."""
        self._now += timedelta(**span)


@pytest.fixture
def clock() -> HandClock:
    """The clock of the `store`."""
    return HandClock()


@pytest.fixture
async def store(database_url: str, clock: HandClock, bus: Bus) -> AsyncIterator[Database]:
    """A started database at the newest revision."""
    await asyncio.to_thread(chain.upgrade, parsed(database_url))
    opened = open_database(database_url, clock=clock, bus=bus, store_facts=store_facts)
    await opened.start()
    yield opened
    await opened.stop()
