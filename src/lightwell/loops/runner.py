"""Runs loops, watches them, and starts them again: nothing dies silently.

What a failure means is what its kind means everywhere (`errors.py`): what time can mend is tried again soon and at
growing distances, without an alarm; everything else is told, and the loop goes on. How a tick works is in `batches.py`.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from lightwell.errors import TimedOut, Unavailable
from lightwell.instrumentation.ticks import Ticks
from lightwell.kit.backoff import Backoff
from lightwell.kit.clock import Clock
from lightwell.orchestration.explanations.situation import LoopAge
from lightwell.storage.database import Database

Tick = Callable[[Database, Clock], Awaitable[int]]
"""One look at the world: does what there is to do, and tells how many items that were."""

_JITTER = 0.1
_SHORTEST_PATIENCE = 30.0
_LONGEST_BACKOFF = 10.0
"""Short, because a server whose database is back is not ready before its loops have succeeded."""
_STOP_SECONDS = 5.0


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


class Overrun(TimedOut):
    """A tick took longer than its loop's deadline, and was broken off."""


class Runner:
    """The loops of one process."""

    def __init__(self, loops: Sequence[Loop], database: Database, clock: Clock, ticks: Ticks) -> None:
        self._loops = tuple(loops)
        self._database = database
        self._clock = clock
        self._ticks = ticks
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._succeeded: dict[str, float] = {}
        self._time: Callable[[], float] = float

    def start(self) -> None:
        """Start every loop in a task of the running event loop."""
        self._time = asyncio.get_running_loop().time
        for loop in self._loops:
            self._succeeded[loop.name] = self._time()
            self._ticks.watch(loop.name, loop.patience)
            self._start(loop)

    async def stop(self) -> None:
        """Stop every loop; a tick under way is broken off, and its transaction is kept or not, as a whole."""
        tasks, self._tasks = self._tasks, {}
        for task in tasks.values():
            task.cancel()
        if tasks:
            await asyncio.wait(tasks.values(), timeout=_STOP_SECONDS)
        for loop in self._loops:
            self._ticks.forget(loop.name)

    def stale(self) -> list[str]:
        """The loops whose last success is too long ago; none when they do not run."""
        if not self._tasks:
            return []
        now = self._time()
        return [loop.name for loop in self._loops if now - self._succeeded[loop.name] > loop.patience]

    def ages(self) -> dict[str, LoopAge]:
        """How long ago each loop had its last success, or was started, and whether it is stale; none while stopped."""
        if not self._tasks:
            return {}
        stale, now = self.stale(), self._time()
        return {
            name: LoopAge(timedelta(seconds=now - succeeded), name in stale)
            for name, succeeded in self._succeeded.items()
        }

    def _start(self, loop: Loop) -> None:
        task = asyncio.get_running_loop().create_task(self._run(loop), name=f"loop {loop.name}")
        task.add_done_callback(lambda ended: self._ended(loop, ended))
        self._tasks[loop.name] = task

    def _ended(self, loop: Loop, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if self._tasks.get(loop.name) is task:
            self._ticks.restarted(loop.name, error)
            self._start(loop)

    async def _run(self, loop: Loop) -> None:
        period = loop.period.total_seconds()
        backoff = Backoff(first=min(1.0, period), most=_LONGEST_BACKOFF)
        due = self._time() + random.uniform(0, min(period, 1.0))  # noqa: S311 -- spreads load, keeps no secret
        while True:
            await asyncio.sleep(due - self._time())
            failure = await self._tick(loop, lag=max(0.0, self._time() - due))
            if failure is None:
                self._succeeded[loop.name] = self._time()
                backoff.reset()
                pause = period
            elif isinstance(failure, Unavailable) and not isinstance(failure, Overrun):
                pause = backoff.next()
            else:
                pause = max(period, backoff.next())
            due = self._time() + pause * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311

    async def _tick(self, loop: Loop, lag: float) -> Exception | None:
        """What went wrong, if anything."""
        try:
            with self._ticks.tick(loop.name, lag=lag) as tick:
                tick.items = await self._within_deadline(loop)
        except Exception as failure:  # noqa: BLE001 -- `Ticks` has told it
            return failure
        return None

    async def _within_deadline(self, loop: Loop) -> int:
        deadline = asyncio.timeout(loop.deadline.total_seconds())
        try:
            async with deadline:
                return await loop.tick(self._database, self._clock)
        except TimeoutError:
            if not deadline.expired():
                raise
            message = f"The loop {loop.name} took longer than {loop.deadline.total_seconds():g} s"
            raise Overrun(message) from None
