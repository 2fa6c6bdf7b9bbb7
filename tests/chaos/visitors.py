"""Clients that go on whatever happens to the server, and write down how they were treated."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from time import monotonic

import httpx
from websockets.exceptions import ConnectionClosed

from tests.chaos.load import NO_TLS, authenticate, websocket

_PAUSE_SECONDS = 0.05


@dataclass(frozen=True)
class Answer:
    """What one request came to; `seconds` is how long it took."""

    status: int
    seconds: float
    headers: httpx.Headers
    body: str


@dataclass
class Visitor:
    """Creates a flow run every moment, one after the other."""

    api_url: str
    flow_id: str
    answers: list[Answer] = field(default_factory=list)
    created: list[str] = field(default_factory=list)
    """The ids of the flow runs that were answered 201."""

    async def visit(self) -> None:
        """Go on until cancelled."""
        body = {"flow_id": self.flow_id, "state": {"type": "PENDING"}}
        async with httpx.AsyncClient(base_url=self.api_url, timeout=30.0, verify=NO_TLS) as client:
            while True:
                started = monotonic()
                answer = await client.post("/flow_runs/", json=body)
                if answer.status_code == httpx.codes.CREATED:
                    self.created.append(answer.json()["id"])
                took = monotonic() - started
                self.answers.append(Answer(answer.status_code, took, answer.headers, answer.text))
                await asyncio.sleep(_PAUSE_SECONDS)


@dataclass
class Follower:
    """Listens to the events of flow runs that become Pending, and connects again whenever it is sent away."""

    api_url: str
    heard: set[str] = field(default_factory=set)
    """The ids of the events."""
    closes: list[int] = field(default_factory=list)
    """The code that each connection ended with."""
    is_listening: bool = False

    async def follow(self) -> None:
        """Go on until cancelled."""
        while True:
            try:
                await self._listen()
            except ConnectionClosed as end:
                self.closes.append(end.rcvd.code if end.rcvd is not None else 1006)
            self.is_listening = False
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _listen(self) -> None:
        async with websocket(self.api_url, "/events/out") as socket:
            await authenticate(socket)
            wanted = {"event": {"name": ["prefect.flow-run.Pending"]}}
            await socket.send(json.dumps({"type": "filter", "filter": wanted}))
            self.is_listening = True
            async for message in socket:
                self.heard.add(json.loads(message)["event"]["id"])


@asynccontextmanager
async def at_work(*clients: Visitor | Follower) -> AsyncIterator[None]:
    """Clients that work beside the test; none of them may fail."""
    works = [client.visit() if isinstance(client, Visitor) else client.follow() for client in clients]
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
