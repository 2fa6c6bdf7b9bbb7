"""Waiting for what must become true within a time."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import TypeVar

T = TypeVar("T")

_PAUSE_SECONDS = 0.05


async def until(ask: Callable[[], Awaitable[T]], what: str, seconds: float = 30.0) -> T:
    """Ask again and again until the answer is true, and return it; `what` is told when it did not become so in time."""
    give_up = monotonic() + seconds
    while not (answer := await ask()):
        assert monotonic() < give_up, f"not in time: {what}"
        await asyncio.sleep(_PAUSE_SECONDS)
    return answer
