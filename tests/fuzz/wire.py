"""An application that is served in this process and asked byte by byte: what no HTTP client would send can be sent."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import FastAPI

from lightwell.server import create_app
from lightwell.settings import Settings

_ANSWER_SECONDS = 30.0

Headers = Iterable[tuple[bytes, bytes]]
Message = MutableMapping[str, Any]


@dataclass(frozen=True)
class Answer:
    """What came back; header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body, which is JSON."""
        return json.loads(self.body)


class Served:
    """An application in an event loop of its own; every method may be called from any thread."""

    def __init__(self, app: FastAPI, portal: BlockingPortal) -> None:
        self.app = app
        self._portal = portal

    def ask(self, method: str, target: str, body: bytes | Iterable[bytes] = b"", headers: Headers = ()) -> Answer:
        """Send one request; `target` is written as in the request's first line, a body of several parts as chunks."""
        return self._portal.call(self._ask, method, target.encode("latin-1"), body, tuple(headers))

    def ask_json(self, method: str, path: str, body: Any = None) -> Answer:
        """Send a value as JSON; lone surrogates, NaN and Infinity go as Python writes them."""
        content = b"" if body is None else json.dumps(body).encode()
        return self.ask(method, path, content, [(b"content-type", b"application/json")])

    def run(self, work: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        """Await something in the application's event loop."""
        return self._portal.call(work, *args)

    async def _ask(
        self, method: str, target: bytes, body: bytes | Iterable[bytes], headers: tuple[tuple[bytes, bytes], ...]
    ) -> Answer:
        parts = [body] if isinstance(body, bytes) else [*body, b""]
        scope = _scope(method, target, headers)
        if isinstance(body, bytes):
            if body and not any(name == b"content-length" for name, _ in headers):
                scope["headers"].append((b"content-length", str(len(body)).encode()))
        else:
            scope["headers"].append((b"transfer-encoding", b"chunked"))
        incoming = iter(parts)
        left = len(parts)
        done = asyncio.Event()
        messages: list[Message] = []

        async def receive() -> Message:
            nonlocal left
            if left == 0:
                await done.wait()
                return {"type": "http.disconnect"}
            left -= 1
            return {"type": "http.request", "body": next(incoming), "more_body": left > 0}

        async def send(message: Message) -> None:
            messages.append(message)
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                done.set()

        async with asyncio.timeout(_ANSWER_SECONDS):
            await self.app(scope, receive, send)
        start, *rest = messages
        return Answer(
            status=start["status"],
            headers={name.decode("latin-1"): value.decode("latin-1") for name, value in start["headers"]},
            body=b"".join(message.get("body", b"") for message in rest),
        )


@contextmanager
def served(settings: Settings) -> Iterator[Served]:
    """The whole server, started, with these settings."""
    app = create_app(settings, ignore_cache=True, ephemeral=True)
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(app.router.lifespan_context(app)):
        yield Served(app, portal)


def _scope(method: str, target: bytes, headers: tuple[tuple[bytes, bytes], ...]) -> dict[str, Any]:
    raw_path, _, query = target.partition(b"?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        # As uvicorn does it: octets that are no UTF-8 are kept apart from the path, which is text.
        "path": unquote_to_bytes(raw_path).decode("utf-8", "replace"),
        "raw_path": raw_path,
        "root_path": "",
        "query_string": query,
        "headers": [(b"host", b"lightwell.test"), *headers],
        "client": ("127.0.0.1", 50_000),
        "server": ("lightwell.test", 80),
    }
