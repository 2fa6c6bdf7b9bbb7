"""Feeds the live streams: with what this process commits, and on PostgreSQL with what the others do."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import URL

from lightwell.contract.logs import Log
from lightwell.errors import Unavailable
from lightwell.events.broadcast import Broadcast
from lightwell.events.facts import Fact, Told
from lightwell.instrumentation.business import count_lines
from lightwell.kit.late import load
from lightwell.storage import events, logs
from lightwell.storage.database import Database

if TYPE_CHECKING:
    from lightwell.storage.wakeups import Wakeups

_EVENTS = "events"
_LOGS = "logs"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Streams:
    """The live events and log lines of all server processes on one database."""

    def __init__(self, database: Database, url: URL) -> None:
        self.events: Broadcast[Told] = Broadcast()
        self.logs: Broadcast[Log] = Broadcast()
        self._database = database
        self._wakeups: Wakeups | None = None
        if database.dialect == "postgresql":
            wakeups: type[Wakeups] = load("lightwell.storage.wakeups:Wakeups")
            self._wakeups = wakeups(url, (_EVENTS, _LOGS), self._take, self._interrupt)

    async def start(self) -> None:
        """Begin to listen to the other processes, if there can be any."""
        if self._wakeups is not None:
            await self._wakeups.start()

    async def stop(self) -> None:
        """Stop listening to the other processes."""
        if self._wakeups is not None:
            await self._wakeups.stop()

    def publish_facts(self, facts: Sequence[Fact]) -> None:
        """Give the events among the facts of a commit of this process to everybody: a subscriber of the bus."""
        events = [fact for fact in facts if fact.is_event]
        self.events.publish(events)
        if self._wakeups is not None and events:
            self._wakeups.tell(_EVENTS, (event.id.hex for event in events))

    def publish_logs(self, lines: Sequence[Log]) -> None:
        """Give log lines that this process has committed to everybody."""
        self.logs.publish(lines)
        count_lines(len(lines))
        if self._wakeups is not None:
            self._wakeups.tell(_LOGS, (_key_of(line) for line in lines))

    async def _take(self, channel: str, keys: list[str]) -> None:
        try:
            if channel == _EVENTS and len(self.events):
                self.events.publish(await self._database.read(events.select_by_ids, [UUID(key) for key in keys]))
            elif channel == _LOGS and len(self.logs):
                self.logs.publish(await self._database.read(logs.select_by_keys, [_log_key(key) for key in keys]))
        except Unavailable:
            self._interrupt()

    def _interrupt(self) -> None:
        self.events.interrupt()
        self.logs.interrupt()


def _key_of(line: Log) -> str:
    return f"{(line.timestamp - _EPOCH) // _MICROSECOND}|{line.id.hex}"


def _log_key(key: str) -> tuple[datetime, UUID]:
    micros, _, log_id = key.partition("|")
    return _EPOCH + int(micros) * _MICROSECOND, UUID(log_id)
