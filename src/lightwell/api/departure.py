"""Stops working for a client that has left: a unit of work that still waits for the database is never begun."""

import asyncio
from typing import Any, cast

from starlette.types import ASGIApp, Message, Receive, Scope, Send

DEPARTED = "lightwell.departed"
"""Set in the scope of a request whose client left before it was answered."""

_BODILESS = frozenset({"GET", "HEAD"})


class CancelOnDeparture:
    """Cancels a request's handler when its client leaves, once it has run for `patience` seconds.

    Watching costs a task, so only slow requests are watched; what is done within `patience` is not worth stopping.
    """

    def __init__(self, app: ASGIApp, patience: float = 0.1) -> None:
        self._app = app
        self._patience = patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; an answer that has begun is never cut off."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        watch = _Watch(scope, receive, send)
        timer = asyncio.get_running_loop().call_later(self._patience, watch.begin)
        try:
            await self._app(scope, watch.receive, watch.send)
        except asyncio.CancelledError:
            if not watch.has_departed:
                raise
            watch.handler.uncancel()
        finally:
            timer.cancel()
            watch.end()


class _Watch:
    __slots__ = ("_body_is_read", "_has_begun_to_answer", "_receive", "_scope", "_send", "_watcher", "handler")

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.handler = cast("asyncio.Task[Any]", asyncio.current_task())
        self._scope = scope
        self._receive = receive
        self._send = send
        self._body_is_read = scope["method"] in _BODILESS
        self._has_begun_to_answer = False
        self._watcher: asyncio.Task[None] | None = None

    @property
    def has_departed(self) -> bool:
        return DEPARTED in self._scope

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request" and not message.get("more_body", False):
            self._body_is_read = True
        return message

    async def send(self, message: Message) -> None:
        self._has_begun_to_answer = True
        await self._send(message)

    def begin(self) -> None:
        if self._body_is_read and not self._has_begun_to_answer:
            self._watcher = asyncio.get_running_loop().create_task(self._await_departure())

    def end(self) -> None:
        if self._watcher is not None:
            self._watcher.cancel()

    async def _await_departure(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            continue
        if not self._has_begun_to_answer:
            self._scope[DEPARTED] = True
            self.handler.cancel()
