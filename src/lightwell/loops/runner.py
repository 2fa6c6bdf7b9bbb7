"""Runs loops, watches them, and starts them again: nothing dies silently."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from lightwell.errors import TimedOut
from lightwell.instrumentation.ticks import Ticks
from lightwell.kit.backoff import Backoff
from lightwell.kit.clock import Clock
from lightwell.storage.database import Database

Tick = Callable[[Database, Clock], Awaitable[int]]
"""One look at the world: does what there is to do, and tells how many items that were."""

_JITTER = 0.1
_SHORTEST_PATIENCE = 30.0
_LONGEST_BACKOFF = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """Something done by the clock: every `period`, and for at most `deadline` each time."""

    name: str
    period: timedelta
    tick: Tick
    deadline: timedelta = timedelta(seconds=60)

    @property
    def patience(self) -> float:
        """Seconds without success after which the loop is stale: three periods, and time for one slow tick."""
        return max(3 * self.period.total_seconds(), _SHORTEST_PATIENCE) + self.deadline.total_seconds()


class Runner:
    """The loops of one process."""

    def __init__(self, loops: Sequence[Loop], database: Database, clock: Clock, ticks: Ticks) -> None:
        self._loops = tuple(loops)
        self._database = database
        self._clock = clock
        self._ticks = ticks
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self) -> None:
        """Start every loop in a task of the running event loop."""
        for loop in self._loops:
            self._ticks.watch(loop.name)
            self._start(loop)

    async def stop(self) -> None:
        """Stop every loop; a tick under way is broken off, and its transaction is kept or not, as a whole."""
        tasks, self._tasks = self._tasks, {}
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
        for loop in self._loops:
            self._ticks.forget(loop.name)

    def stale(self) -> list[str]:
        """The loops whose last success is too long ago."""
        ages = {loop: self._ticks.last_success_age(loop.name) for loop in self._loops}
        return [loop.name for loop, age in ages.items() if age is not None and age > loop.patience]

    def _start(self, loop: Loop) -> None:
        task = asyncio.get_running_loop().create_task(self._run(loop), name=f"loop {loop.name}")
        task.add_done_callback(lambda ended: self._restart(loop, ended))
        self._tasks[loop.name] = task

    def _restart(self, loop: Loop, ended: asyncio.Task[None]) -> None:
        if self._tasks.get(loop.name) is ended:
            self._start(loop)

    async def _run(self, loop: Loop) -> None:
        period = loop.period.total_seconds()
        backoff = Backoff(first=min(1.0, period), most=_LONGEST_BACKOFF)
        clock = asyncio.get_running_loop().time
        due = clock() + random.uniform(0, min(period, 1.0))  # noqa: S311 -- spreads load, keeps no secret
        while True:
            await asyncio.sleep(max(0.0, due - clock()))
            is_well = await self._tick(loop, lag=max(0.0, clock() - due))
            if is_well:
                backoff.reset()
            pause = period * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311
            due = clock() + (pause if is_well else max(pause, backoff.next()))

    async def _tick(self, loop: Loop, lag: float) -> bool:
        with suppress(Exception):
            # `Ticks` has told what went wrong; the next tick tries again.
            with self._ticks.tick(loop.name, lag=lag) as tick:
                tick.items = await self._within_deadline(loop)
            return True
        return False

    async def _within_deadline(self, loop: Loop) -> int:
        try:
            async with asyncio.timeout(loop.deadline.total_seconds()):
                return await loop.tick(self._database, self._clock)
        except TimeoutError:
            message = f"The loop {loop.name} took longer than {loop.deadline.total_seconds():g} s"
            raise TimedOut(message) from None
