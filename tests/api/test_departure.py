"""A client that has left: what waits for the database is never begun, what has begun is finished."""

import asyncio
from pathlib import Path
from threading import Event
from typing import Any

from fastapi import FastAPI
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from lightwell.api.departure import DEPARTED, CancelOnDeparture
from lightwell.server import create_app
from lightwell.settings import Settings
from lightwell.storage.database import Database
from lightwell.storage.transaction import Transaction

_PATIENCE = 10.0


class Client:
    """Sends one request, and can leave before it is answered."""

    def __init__(self, path: str, body: bytes = b"") -> None:
        self.scope: dict[str, Any] = {
            "type": "http",
            "method": "POST",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "scheme": "http",
            "http_version": "1.1",
            "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())],
            "server": ("lightwell.test", 80),
        }
        self.answer: list[Message] = []
        self._body = body
        self._is_sent = False
        self._gone = asyncio.Event()

    def leave(self) -> None:
        """Close the connection."""
        self._gone.set()

    async def receive(self) -> Message:
        """What the server hears: the body, then nothing, and in the end that the client is gone."""
        if not self._is_sent:
            self._is_sent = True
            return {"type": "http.request", "body": self._body, "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """What the client hears."""
        self.answer.append(message)

    async def ask(self, app: Any) -> None:
        """Send the request; returns when the server is done with it."""
        async with asyncio.timeout(_PATIENCE):
            await app(self.scope, self.receive, self.send)


async def test_a_unit_that_has_not_begun_is_taken_back(tmp_path: Path) -> None:
    """The writer is busy; the client that waits behind leaves, and its flow is never made."""
    app = create_app(Settings(home=tmp_path), ignore_cache=True, ephemeral=True)
    async with app.router.lifespan_context(app):
        database: Database = app.state.services.database
        begun, may_end = Event(), Event()

        def busy(tx: Transaction) -> None:
            del tx
            begun.set()
            may_end.wait(_PATIENCE)

        in_the_way = asyncio.ensure_future(database.write(busy))
        await asyncio.to_thread(begun.wait, _PATIENCE)
        leaving, staying = Client("/api/flows/", b'{"name": "left"}'), Client("/api/flows/", b'{"name": "stayed"}')
        asking = [asyncio.ensure_future(client.ask(app)) for client in (leaving, staying)]
        async with asyncio.timeout(_PATIENCE):
            while database.pending["write"] < 3:  # noqa: ASYNC110 -- nobody tells when a unit has come to wait
                await asyncio.sleep(0.005)
        leaving.leave()
        await asking[0]
        assert leaving.answer == []
        may_end.set()
        await asyncio.gather(in_the_way, asking[1])

        assert staying.answer[0]["status"] == 201
        assert await _names(app) == ["stayed"]


async def _names(app: FastAPI) -> list[str]:
    client = Client("/api/flows/filter")
    await client.ask(app)
    body = b"".join(message.get("body", b"") for message in client.answer[1:])
    return [name for name in ("left", "stayed") if name.encode() in body]


async def test_an_answer_that_has_begun_is_not_cut_off() -> None:
    """A client that leaves in the middle of it does not stop the handler."""
    finished = asyncio.Event()
    client = Client("/")

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        client.leave()
        await asyncio.sleep(0.05)
        await send({"type": "http.response.body", "body": b"all", "more_body": False})
        finished.set()
        assert DEPARTED not in scope

    await client.ask(CancelOnDeparture(slow, patience=0.0))
    assert finished.is_set()
    assert client.answer[-1]["body"] == b"all"


async def test_what_is_quick_is_not_watched() -> None:
    """Within the patience nobody looks whether the client is there."""
    client = Client("/")
    client.leave()

    async def quick(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await PlainTextResponse("done")(scope, receive, send)

    await client.ask(CancelOnDeparture(quick, patience=_PATIENCE))
    assert client.answer[0]["status"] == 200


async def test_another_cancellation_goes_on_up() -> None:
    """A server that stops its requests is not taken for a client that has left."""
    started = asyncio.Event()

    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive, send
        started.set()
        await asyncio.Event().wait()

    asking = asyncio.ensure_future(Client("/").ask(CancelOnDeparture(endless, patience=0.0)))
    await started.wait()
    asking.cancel()
    await asyncio.wait({asking})
    assert asking.cancelled()
