"""Opening the database outside the server: for commands, and to say plainly at the start what is wrong with it."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from lightwell.errors import Unavailable
from lightwell.events.bus import Bus
from lightwell.kit.clock import SystemClock
from lightwell.settings import Settings
from lightwell.settings.values import without_password
from lightwell.storage.database import open_database, parsed
from lightwell.storage.transaction import Reader

T = TypeVar("T")


def sqlalchemy_url(settings: Settings) -> str:
    """The database's address for SQLAlchemy, with its password. Raises Invalid where it is none."""
    return parsed(settings.database_url).render_as_string(hide_password=False)


def where(settings: Settings) -> str:
    """The database's address, to be shown."""
    return without_password(settings.database_url)


def require(settings: Settings) -> None:
    """Raise Unavailable, with the address in its message, when the database cannot be opened."""
    try:
        read_once(settings, _answer)
    except Unavailable as error:
        message = f"The database {where(settings)} cannot be reached: {error.message}"
        raise Unavailable(message) from error


def read_once(settings: Settings, query: Callable[[Reader], T]) -> T:
    """Open the database, run one query and close it again."""
    return asyncio.run(_read_once(settings, query))


async def _read_once(settings: Settings, query: Callable[[Reader], T]) -> T:
    database = open_database(
        settings.database_url,
        clock=SystemClock(),
        bus=Bus(),
        readers=1,
        pool_size=1,
        connect_timeout=settings.database.connect_timeout.total_seconds(),
    )
    try:
        await database.start()
    except OSError as error:
        message = f"{error.filename or settings.home}: {error.strerror}"
        raise Unavailable(message) from error
    try:
        await database.ping()
        return await database.read(query)
    finally:
        await database.stop()


def _answer(reader: Reader) -> None:
    del reader
