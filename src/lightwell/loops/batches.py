"""The work of one tick in batches, each a transaction of its own that is over before anybody else waits for long.

A batch's size follows from what the last one took. All loops of a process take turns at a database, and where there is
but one writer, after each batch as much time passes as it took.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import wraps
from time import perf_counter
from typing import Any, Concatenate, Final, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from lightwell.errors import Rejected, Unavailable
from lightwell.instrumentation.failures import fail
from lightwell.instrumentation.vocabulary import TICK_FAILED
from lightwell.kit.batch_size import next_size
from lightwell.storage.database import Database
from lightwell.storage.transaction import Transaction

P = ParamSpec("P")
T = TypeVar("T")
Verb = Callable[Concatenate[Transaction, Sequence[T], P], int]

PAGE: Final = 500
"""How many items are looked up at once."""

_TARGET_SECONDS: Final = 0.015
"""What a batch may take in its verb; on top come storing its facts, the commit, and the others of its group."""
_FIRST_SIZE: Final = 16


class _Turns:
    """Who may write: one batch at a time, and none before `free_at`."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.free_at = 0.0


_TURNS: WeakKeyDictionary[Database, _Turns] = WeakKeyDictionary()


class Batches:
    """Writes in batches of at most `most`, for at most `seconds`; `loop` is who they are for."""

    def __init__(self, database: Database, loop: str, *, most: int, seconds: float = 30.0) -> None:
        self._database = database
        self._loop = loop
        self._most = most
        self._time = asyncio.get_running_loop().time
        self._end = self._time() + seconds
        self._turns = _TURNS.setdefault(database, _Turns())
        self.size = min(_FIRST_SIZE, most)
        """How much the next batch may have."""

    @property
    def is_over(self) -> bool:
        """Whether the time is up: what is left is for the next tick."""
        return self._time() >= self._end

    async def drain(
        self,
        look: Callable[[], Awaitable[Sequence[T]]],
        verb: Verb[T, P],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> int:
        """Look for items and do them, until there are none that can be done; how many were."""
        total = 0
        while not self.is_over:
            done = await self.each(await look(), verb, *args, **kwargs)
            total += done
            if not done:
                break
        return total

    async def each(
        self,
        items: Sequence[T],
        verb: Verb[T, P],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> int:
        """Do all items; the sum of what the verb says of its batches. An item's `parts`, if it has such, is its weight.

        A batch that fails for no reason that time can mend is done again item by item. An item that is Rejected is left
        out, one that fails is reported and left out, and the others are done.
        """
        total, first = 0, 0
        while first < len(items) and not self.is_over:
            after, weight = _reach(items, first, self.size)
            batch = items[first:after]
            try:
                total += await self._write(weight, verb, batch, *args, **kwargs)
            except Unavailable:
                raise
            except Exception as error:  # noqa: BLE001 -- one bad item must not stop the others
                total += await self._one_by_one(batch, error, verb, *args, **kwargs)
            first = after
        return total

    async def repeat(
        self, verb: Callable[Concatenate[Transaction, int, P], int], *args: P.args, **kwargs: P.kwargs
    ) -> int:
        """Let the verb do so much at a time, until it finds less to do; how much it did."""
        total = 0
        while not self.is_over:
            size = self.size
            done = await self._write(size, verb, size, *args, **kwargs)
            total += done
            if done < size:
                break
        return total

    async def _one_by_one(
        self, items: Sequence[T], error: Exception, verb: Verb[T, P], *args: P.args, **kwargs: P.kwargs
    ) -> int:
        if len(items) == 1:
            self._leave_out(error)
            return 0
        total = 0
        for item in items:
            try:
                total += await self._write(1, verb, [item], *args, **kwargs)
            except Unavailable:
                raise
            except Exception as failure:  # noqa: BLE001 -- the others go on
                self._leave_out(failure)
        return total

    def _leave_out(self, error: Exception) -> None:
        if not isinstance(error, Rejected):
            fail(error, TICK_FAILED, loop=self._loop)

    async def _write(self, weight: int, verb: Callable[..., int], *args: Any, **kwargs: Any) -> int:
        turns = self._turns
        async with turns.lock:
            await asyncio.sleep(turns.free_at - self._time())
            done, seconds = await self._database.write(_timed(verb), *args, **kwargs)
            if self._database.dialect == "sqlite":
                turns.free_at = self._time() + seconds
        self.size = next_size(self.size, weight, seconds, target=_TARGET_SECONDS, most=self._most)
        return done


def _reach(items: Sequence[object], first: int, size: int) -> tuple[int, int]:
    """Up to where items from the first on fit into a batch, at least that one; and what they weigh."""
    after, weight = first, 0
    while after < len(items):
        parts: int = getattr(items[after], "parts", 1)
        if after > first and weight + parts > size:
            break
        after, weight = after + 1, weight + parts
    return after, weight


def _timed(verb: Callable[..., int]) -> Callable[..., tuple[int, float]]:
    """The verb, and the seconds that it took in the database's thread."""

    @wraps(verb)
    def timed(tx: Transaction, *args: Any, **kwargs: Any) -> tuple[int, float]:
        started = perf_counter()
        done = verb(tx, *args, **kwargs)
        return done, perf_counter() - started

    return timed
