"""A toy application whose signals are caught: spans, metrics and log lines, each as an operator would get them."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import httpx
import pytest
from fastapi import FastAPI
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from lightwell.instrumentation import logging, metrics
from lightwell.instrumentation.sampling import KeepPolicy
from lightwell.instrumentation.setup import Telemetry, assemble
from lightwell.kit.token_bucket import TokenBucket
from tests.signals.toy import make_app

_PATIENCE = 5.0


@dataclass
class Signals:
    """What came out of the process."""

    telemetry: Telemetry
    exporter: InMemorySpanExporter
    reader: InMemoryMetricReader
    read_lines: Callable[[], list[str]]

    @property
    def spans(self) -> list[ReadableSpan]:
        """All spans that were exported."""
        self.telemetry.flush(_PATIENCE)
        return list(self.exporter.get_finished_spans())

    @property
    def server_spans(self) -> list[ReadableSpan]:
        """The server spans that were exported."""
        return [span for span in self.spans if span.kind is SpanKind.SERVER]

    @property
    def lines(self) -> list[dict[str, Any]]:
        """All log lines."""
        return [json.loads(line) for line in self.read_lines()]

    def events(self, name: str) -> list[dict[str, Any]]:
        """The log lines of one event."""
        return [line for line in self.lines if line["event"] == name]

    def points(self, name: str) -> list[Any]:
        """The data points of a metric."""
        data = self.reader.get_metrics_data()
        return [
            point
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        ]

    def everything(self) -> str:
        """All of it as one text, to look for what must not be in it."""
        data = self.reader.get_metrics_data()
        spans = "".join(span.to_json() for span in self.spans)
        return spans + "".join(self.read_lines()) + (data.to_json() if data else "")


@pytest.fixture
def log_lines(capfd: pytest.CaptureFixture[str]) -> Iterator[Callable[[], list[str]]]:
    """Reads the lines that were written to standard error so far."""
    logging.configure("INFO", "json")
    read: list[str] = []

    def lines() -> list[str]:
        read.extend(line for line in capfd.readouterr().err.splitlines() if line.startswith("{"))
        return read

    yield lines
    logging.configure("WARNING", "json")


@pytest.fixture
def make_signals(log_lines: Callable[[], list[str]]) -> Iterator[Callable[..., Signals]]:
    """Makes telemetry with a ratio and a policy, that stays in this test."""

    def make(ratio: float = 1.0, policy: KeepPolicy | None = None, remote: TokenBucket | None = None) -> Signals:
        exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
        policy = policy or KeepPolicy(slow_after=60.0)
        telemetry = assemble(
            version="0", ratio=ratio, policy=policy, remote=remote, exporters=[exporter], readers=[reader]
        )
        return Signals(telemetry, exporter, reader, log_lines)

    yield make
    metrics.bind(None)


@pytest.fixture
def signals(make_signals: Callable[..., Signals]) -> Signals:
    """Signals of which every trace is kept."""
    return make_signals()


@pytest.fixture
def app(signals: Signals) -> FastAPI:
    """The toy application."""
    return make_app(signals.telemetry.tracing)


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the toy application; an exception that the server would see is raised."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://toy") as opened:
        yield opened


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds, for a few seconds at most."""
    end = time.monotonic() + _PATIENCE
    while not condition():
        assert time.monotonic() < end, "it never came true"
        await asyncio.sleep(0.005)


def http_scope(method: str, path: str) -> dict[str, Any]:
    """The scope of a request, as a server makes it."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [],
        "client": ("127.0.0.1", 5000),
        "server": ("127.0.0.1", 4200),
    }


def scripted(messages: Iterable[dict[str, Any]]) -> Callable[[], Awaitable[dict[str, Any]]]:
    """A client that sends these messages, and no more."""
    waiting = iter(messages)

    async def receive() -> dict[str, Any]:
        return next(waiting)

    return receive


async def nobody(_message: Any) -> None:
    """A client that takes whatever it is sent."""


class Talk:
    """A client of a websocket, without a server between: what it sends and what it gets."""

    def __init__(
        self, app: FastAPI, path: str, subprotocols: Sequence[str], headers: Mapping[str, str], query: str
    ) -> None:
        self._app = app
        self._scope = {
            "type": "websocket",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "scheme": "ws",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 5000),
            "server": ("127.0.0.1", 4200),
            "subprotocols": list(subprotocols),
        }
        self._up: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._down: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self.is_lost = False
        """Whether the connection broke, of which the server hears when it sends next."""

    async def _deliver(self, message: MutableMapping[str, Any]) -> None:
        if self.is_lost:
            raise ConnectionResetError
        self._down.put_nowait(message)

    async def __aenter__(self) -> Self:
        """Connect, until the server has accepted."""
        self._up.put_nowait({"type": "websocket.connect"})
        self._task = asyncio.ensure_future(self._app(self._scope, self._up.get, self._deliver))
        assert (await self.receive())["type"] == "websocket.accept"
        return self

    async def __aexit__(self, *_raised: object) -> None:
        """Leave, and let the server end; what its endpoint raised is raised here."""
        self._up.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await asyncio.wait_for(self._task, _PATIENCE)

    async def say(self, text: str) -> dict[str, Any]:
        """Send a text, and wait for what comes back."""
        self._up.put_nowait({"type": "websocket.receive", "text": text})
        return await self.receive()

    async def send_json(self, message: object, *, answered: bool = True) -> dict[str, Any]:
        """Send a message as JSON, and wait for what comes back, if anything does."""
        if answered:
            return await self.say(json.dumps(message))
        self._up.put_nowait({"type": "websocket.receive", "text": json.dumps(message)})
        return {}

    async def receive(self) -> dict[str, Any]:
        """What the server sent."""
        waiting = asyncio.ensure_future(self._down.get())
        ended = getattr(self, "_task", waiting)
        await asyncio.wait({waiting, ended}, timeout=_PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        if waiting.done():
            return dict(waiting.result())
        waiting.cancel()
        return {"type": "ended"}


def talk(
    app: FastAPI,
    *subprotocols: str,
    path: str = "/api/things/talk",
    headers: Mapping[str, str] | None = None,
    query: str = "",
) -> Talk:
    """A connection to a websocket of an application: the toy's, if no other is named."""
    return Talk(app, path, subprotocols, headers or {}, query)
