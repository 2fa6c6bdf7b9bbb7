"""A database with a table in it, and a gate to hold a database thread at."""

import asyncio
from collections.abc import Iterator
from threading import Event

import pytest

from lightwell.storage.database import Database
from lightwell.storage.transaction import Reader
from tests.storage import notes


@pytest.fixture
async def notebook(database: Database) -> Database:
    """A database with an empty table of notes."""
    await database.write(notes.create)
    return database


class Gate:
    """A unit of work that takes up its thread until it is let go."""

    def __init__(self) -> None:
        self._entered = Event()
        self._open = Event()

    def hold(self, reader: Reader) -> None:  # noqa: ARG002 -- a unit of work is given one
        """The unit of work."""
        self._entered.set()
        assert self._open.wait(20)

    async def entered(self) -> None:
        """Return when the unit has started."""
        assert await asyncio.to_thread(self._entered.wait, 20)

    def open(self) -> None:
        """Let it go."""
        self._open.set()


@pytest.fixture
def gate() -> Iterator[Gate]:
    """A gate that is open at last, whatever happens."""
    made = Gate()
    yield made
    made.open()
