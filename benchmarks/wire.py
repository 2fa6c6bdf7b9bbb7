"""A lean HTTP/1.1 keep-alive client, cheap enough not to be what is measured; load.py drives it."""

from __future__ import annotations

import asyncio
from typing import NamedTuple, Self, cast

import httptools


class Request(NamedTuple):
    """One request, ready to be sent, and the statuses that count as an answer."""

    method: str
    path: str
    body: bytes = b""
    expected: tuple[int, ...] = (200, 201, 204)


class Answer(NamedTuple):
    """Status and body of a response."""

    status: int
    body: bytes


class Connection(asyncio.Protocol):
    """One connection with at most one request under way."""

    def __init__(self, host: str, port: int, prefix: str) -> None:
        """Talk to `host:port`; `prefix` goes before each path."""
        self._address = (host, port)
        self._prefix = prefix
        self._headers = f"Host: {host}:{port}\r\nContent-Type: application/json\r\nX-PREFECT-API-VERSION: 0.8.4\r\n"
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[Answer] | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._body: list[bytes] = []

    async def __aenter__(self) -> Self:
        """Connect."""
        await self._connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close."""
        if self._transport is not None:
            self._transport.close()

    async def send(self, request: Request) -> Answer:
        """Send and wait for the whole answer; ConnectionError when the server hangs up in the middle."""
        transport = self._transport
        if transport is None or transport.is_closing():
            transport = await self._connect()
        self._waiter = asyncio.get_running_loop().create_future()
        head = f"{request.method} {self._prefix}{request.path} HTTP/1.1\r\n{self._headers}"
        transport.write(f"{head}Content-Length: {len(request.body)}\r\n\r\n".encode() + request.body)
        return await self._waiter

    async def _connect(self) -> asyncio.Transport:
        transport, _ = await asyncio.get_running_loop().create_connection(lambda: self, *self._address)
        return transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin with a fresh parser."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one by behaviour, not by ancestry
        self._body = []
        self._parser = httptools.HttpResponseParser(self)

    def data_received(self, data: bytes) -> None:
        """Feed the parser; it calls the `on_` methods."""
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail the request that was waiting."""
        self._transport = None
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(ConnectionError(f"the server hung up ({exc})"))

    def on_body(self, body: bytes) -> None:
        """Collect a piece of the body."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """Hand the answer over."""
        answer = Answer(self._parser.get_status_code(), b"".join(self._body))
        self._body = []
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(answer)
