"""The seam of the event loop: how much later than asked it calls back, a few times a second."""

import asyncio
from typing import Final

from lightwell.instrumentation import business, metrics

_EVERY_SECONDS: Final = 0.25


class LoopLag:
    """Measures the running event loop from `start` to `stop`."""

    def __init__(self) -> None:
        self._handle: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin."""
        self._ask(asyncio.get_running_loop())

    def stop(self) -> None:
        """End."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _ask(self, loop: asyncio.AbstractEventLoop) -> None:
        due = loop.time() + _EVERY_SECONDS
        self._handle = loop.call_at(due, self._called_back, loop, due)

    def _called_back(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        if metrics.LIVE:
            business.loop_called_back(max(0.0, loop.time() - due))
        self._ask(loop)
