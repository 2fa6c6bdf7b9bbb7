"""Traces and stores for the tests of the store."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from time import monotonic, sleep, time_ns
from typing import Any

from lightwell.instrumentation.traffic import Traffic
from lightwell.telemetry.reading import Wanted, select_traces
from lightwell.telemetry.records import StoredEvent, StoredSpan
from lightwell.telemetry.store import TraceStore
from lightwell.telemetry.writing import Ring

_IDS = count(1)
MEBIBYTE = 1024 * 1024


def new_id(digits: int = 16) -> str:
    """An id that no other span or trace of this process has."""
    return f"{next(_IDS):0{digits}x}"


def span(trace_id: str | None = None, **members: Any) -> StoredSpan:
    """A span of a request that took a millisecond, a moment ago."""
    now = time_ns()
    values: dict[str, Any] = {
        "trace_id": trace_id or new_id(32),
        "span_id": new_id(),
        "name": "GET /api/things/{id}",
        "started": now - 1_000_000,
        "ended": now,
        "kind": "server",
        "service": "lightwell",
        "attributes": {"http.route": "/api/things/{id}", "http.response.status_code": 200},
    }
    return StoredSpan(**(values | members))


def failed(error: str = "some.Error", /, message: str = "it broke", stack: str = "", **members: Any) -> StoredSpan:
    """A span of a request that failed with an exception."""
    said = {"exception.type": error, "exception.message": message, "exception.stacktrace": stack}
    attributes = {"http.route": "/api/things/{id}", "http.response.status_code": 500, "error.type": error}
    events = [StoredEvent(time_ns(), "exception", said)]
    return span(**({"status": "error", "attributes": attributes, "events": events} | members))


@contextmanager
def store(
    path: Path | None,
    *,
    spans: int = 100_000,
    size: int = 64 * MEBIBYTE,
    age: float = 3600.0,
    retry_after: float = 60.0,
    most_waiting: int = 20_000,
) -> Iterator[TraceStore]:
    """A store that works, and is closed at the end."""
    made = TraceStore(
        path, Ring(spans, size, age), traffic=Traffic(), retry_after=retry_after, most_waiting=most_waiting
    )
    made.start()
    try:
        yield made
    finally:
        assert made.close(10.0)


async def listed(of: TraceStore, limit: int = 200, **wanted: Any) -> list[str]:
    """The trace ids that a store lists."""
    page, _ = await of.read(select_traces, 10.0, Wanted(**wanted), limit=limit)
    return [entry.trace_id for entry in page.traces]


def until(holds: Any, what: str, seconds: float = 15.0) -> None:
    """Wait until something holds; fail when it does not in time."""
    end = monotonic() + seconds
    while not holds():
        assert monotonic() < end, f"waited in vain for {what}"
        sleep(0.01)
