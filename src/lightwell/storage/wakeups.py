"""Tells the other server processes on one PostgreSQL database what this one has committed, and is told by them.

Outside of every transaction, and batched: at most every `period` seconds a process names the keys of new rows by
NOTIFY, and who listens reads the rows. The table is the truth: after a lost connection listeners must begin again from
what is stored.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from uuid import uuid4

import psycopg
from sqlalchemy import URL

from lightwell.kit.backoff import Backoff
from lightwell.storage.postgresql_connection import KEEPALIVES

Channel = str
"""A kind of rows, such as `events`; part of the name of PostgreSQL's channel."""

_PREFIX = "lightwell_"
_PATIENCE = 2.0
_CONNECT_SECONDS = 5
_LONGEST_BACKOFF = 2.0
"""Short: until it is over, live streams do not hear of other processes."""
_KEYS_IN_ONE = 150
"""NOTIFY carries less than 8000 bytes: so many keys of 50 characters."""


class Wakeups:
    """One connection that listens and notifies, opened again whenever it is lost.

    `on_keys(channel, keys)` is awaited with what other processes have committed; `on_gap()` is called when some of it
    may have been missed.
    """

    def __init__(
        self,
        url: URL,
        channels: Sequence[Channel],
        on_keys: Callable[[Channel, list[str]], Awaitable[None]],
        on_gap: Callable[[], None],
        period: float = 0.05,
    ) -> None:
        self._conninfo = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._channels = tuple(channels)
        self._on_keys = on_keys
        self._on_gap = on_gap
        self._period = period
        self._self = uuid4().hex
        self._waiting: dict[Channel, list[str]] = {channel: [] for channel in channels}
        self._arrival = asyncio.Event()
        self._listens = asyncio.Event()
        self._has_started = False
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin to listen and to notify, in tasks of the running event loop; wait a little for the first connection."""
        create = asyncio.get_running_loop().create_task
        self._tasks = [create(self._keep(self._listen)), create(self._keep(self._notify))]
        with suppress(TimeoutError):
            await asyncio.wait_for(self._listens.wait(), _PATIENCE)
        self._has_started = True

    async def stop(self) -> None:
        """Close the connections; what was not told yet stays untold."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    def tell(self, channel: Channel, keys: Iterable[str]) -> None:
        """Name rows that this process has committed, by keys of at most 50 characters without commas."""
        self._waiting[channel].extend(keys)
        self._arrival.set()

    async def _keep(self, work: Callable[[psycopg.AsyncConnection[object]], Awaitable[None]]) -> None:
        backoff = Backoff(first=0.2, most=_LONGEST_BACKOFF)
        while True:
            with suppress(psycopg.Error, OSError):
                async with await self._connect() as connection:
                    backoff.reset()
                    await work(connection)
            await asyncio.sleep(backoff.next())

    async def _connect(self) -> psycopg.AsyncConnection[object]:
        return await psycopg.AsyncConnection.connect(
            self._conninfo, autocommit=True, connect_timeout=_CONNECT_SECONDS, **KEEPALIVES
        )

    async def _listen(self, connection: psycopg.AsyncConnection[object]) -> None:
        for channel in self._channels:
            await connection.execute(f"LISTEN {_PREFIX}{channel}".encode())
        self._listens.set()
        if self._has_started:
            self._on_gap()
        async for notice in connection.notifies():
            sender, _, keys = notice.payload.partition(" ")
            if sender != self._self:
                await self._on_keys(notice.channel.removeprefix(_PREFIX), keys.split(","))

    async def _notify(self, connection: psycopg.AsyncConnection[object]) -> None:
        while True:
            # First of all what the last connection could not tell any more.
            self._arrival.clear()
            for channel, waiting in self._waiting.items():
                while waiting:
                    batch = waiting[:_KEYS_IN_ONE]
                    payload = f"{self._self} {','.join(batch)}"
                    await connection.execute("SELECT pg_notify(%s, %s)", (f"{_PREFIX}{channel}", payload))
                    del waiting[: len(batch)]
            await asyncio.sleep(self._period)
            await self._arrival.wait()
