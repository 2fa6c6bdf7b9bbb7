"""Live streams: what is published reaches every listener whose filter it passes."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Generic, Self, TypeVar

T = TypeVar("T")


class Overrun(Exception):
    """A listener fell too far behind; it must begin again from what is stored."""


class Broadcast(Generic[T]):
    """Hands items to listeners; one event loop, no thread safety.

    `capacity` is how many items may wait for one listener.
    """

    def __init__(self, capacity: int = 10_000) -> None:
        self._capacity = capacity
        self._listeners: set[Listener[T]] = set()

    def __len__(self) -> int:
        """The number of listeners."""
        return len(self._listeners)

    @property
    def backlog(self) -> int:
        """How many items wait for the listener that is furthest behind."""
        return max((listener.waiting for listener in tuple(self._listeners)), default=0)

    def publish(self, items: Iterable[T]) -> None:
        """Give items to every listener that wants them."""
        if not self._listeners:
            return
        batch = tuple(items)
        for listener in self._listeners:
            listener.offer(batch)

    def interrupt(self) -> None:
        """Say that something may have been missed: every listener must begin again from what is stored."""
        for listener in self._listeners:
            listener.overrun()

    def listen(self, wants: Callable[[T], bool]) -> "Listener[T]":
        """A listener to what passes `wants`; use it in a `with` block."""
        return Listener(self._listeners, wants, self._capacity)


class Listener(Generic[T]):
    """What one listener has yet to receive, in order."""

    def __init__(self, registry: "set[Listener[T]]", wants: Callable[[T], bool], capacity: int) -> None:
        self._registry = registry
        self._wants = wants
        self._capacity = capacity
        self._waiting: deque[T] = deque()
        self._is_overrun = False
        self._arrival = asyncio.Event()

    def __enter__(self) -> Self:
        self._registry.add(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._registry.discard(self)

    @property
    def waiting(self) -> int:
        """How many items wait to be taken."""
        return len(self._waiting)

    def offer(self, items: Iterable[T]) -> None:
        """Keep what is wanted; called by the broadcast."""
        wanted = [item for item in items if self._wants(item)]
        if not wanted or self._is_overrun:
            return
        if len(self._waiting) + len(wanted) > self._capacity:
            self.overrun()
            return
        self._waiting.extend(wanted)
        self._arrival.set()

    def overrun(self) -> None:
        """Let the listener know that it has missed something."""
        self._is_overrun = True
        self._waiting.clear()
        self._arrival.set()

    async def take(self) -> list[T]:
        """All that waits, at least one item.

        Raises Overrun if the listener fell behind by more than the broadcast's capacity.
        """
        await self._arrival.wait()
        self._arrival.clear()
        if self._is_overrun:
            raise Overrun
        items = list(self._waiting)
        self._waiting.clear()
        return items
