"""The reference load: everything a server does, well and badly, in rounds of about a second."""

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import httpx
from websockets.sync.client import connect
from websockets.sync.connection import Connection
from websockets.typing import Subprotocol

from benchmarks.task_events import task_run_events
from tests.collector.troubles import Troubles
from tests.serving import Serving

SETTINGS = {
    "LIGHTWELL_TELEMETRY_SLOW_AFTER": "0.5s",
    "LIGHTWELL_TELEMETRY_BASELINE_RATIO": "0.2",
    "LIGHTWELL_DATABASE_LOCK_TIMEOUT": "0.5s",
    "LIGHTWELL_LOOPS_LATE_RUNS_PERIOD": "0.2s",
    "LIGHTWELL_LOOPS_LATE_RUNS_AFTER": "0s",
    "LIGHTWELL_LOOPS_RETENTION_PERIOD": "0.5s",
    "LIGHTWELL_LOOPS_STATISTICS_PERIOD": "1s",
    "LIGHTWELL_LOOPS_STATISTICS_SIZES_PERIOD": "1s",
    "LIGHTWELL_LOOPS_RETENTION_EVENTS": "1m",
}
"""Of the server: loops that come round often, and a database that is soon given up."""

_NOWHERE = "0b0f9a3e-6d0c-4e0e-9d5e-0123456789ab"
_ENDS = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")


class Load:
    """A user, a client with its runs, and the troubles they meet."""

    def __init__(self, server: Serving, home: Path) -> None:
        self._client = httpx.Client(base_url=server.api_url, timeout=30)
        self._sockets = server.api_url.replace("http", "ws", 1)
        self._troubles = Troubles(server, home)
        self._stack = contextlib.ExitStack()
        self.rounds = 0
        self.failed: list[str] = []
        """The traces of requests that were answered 500."""

    def __enter__(self) -> Self:
        """Follow events and logs, as pages in a browser do, until the end."""
        self._stack.enter_context(self._client)
        self._stack.enter_context(self._troubles)
        for path in ("/events/out", "/logs/out"):
            self._stack.enter_context(self._socket(path)).send(json.dumps({"type": "filter", "filter": {}}))
        self._flow = self._post("/flows/", {"name": "reference"})["id"]
        self._limit = f"limit-{uuid4()}"
        self._post("/v2/concurrency_limits/", {"name": self._limit, "limit": 1000})
        return self

    def __exit__(self, *_raised: object) -> None:
        self._stack.close()

    def round(self) -> None:
        """Once everything."""
        self.rounds += 1
        for end in _ENDS:
            self._run(end)
        self._retried()
        self._refused()
        self._late_and_later()
        self._task_runs()
        self._reading()
        self._holding()
        self._of_old()
        self._of_others()
        self._mistakes()
        self._troubled()

    def _run(self, end: str) -> None:
        run = self._make_run()
        self._set(run, "RUNNING")
        self._log(run)
        self._set(run, end)

    def _retried(self) -> None:
        """The server turns the failure into a retry."""
        run = self._make_run(empirical_policy={"retries": 1, "retry_delay": 0})
        self._set(run, "RUNNING")
        self._set(run, "FAILED")

    def _refused(self) -> None:
        """What repeats, and what would begin again what has ended."""
        run = self._make_run()
        self._set(run, "RUNNING")
        self._set(run, "RUNNING")
        self._set(run, "COMPLETED")
        self._set(run, "PENDING")

    def _late_and_later(self) -> None:
        now = datetime.now(UTC)
        for at in (now - timedelta(minutes=1), now + timedelta(hours=1)):
            self._make_run({"type": "SCHEDULED", "state_details": {"scheduled_time": at.isoformat()}})

    def _task_runs(self) -> None:
        """Task runs as clients report them, one event twice, and one that the server decides about."""
        run = self._make_run()
        with self._socket("/events/in") as socket:
            events = [event for _ in range(3) for event in task_run_events(run, str(uuid4()))]
            for event in (*events, events[0]):
                socket.send(json.dumps(event))
            socket.ping().wait(10)
        body = {"flow_run_id": run, "task_key": "task", "dynamic_key": str(uuid4()), "state": {"type": "PENDING"}}
        task_run = self._post("/task_runs/", body)["id"]
        for state in ("RUNNING", "COMPLETED"):
            self._post(f"/task_runs/{task_run}/set_state", {"state": {"type": state}})

    def _reading(self) -> None:
        for _ in range(3):
            self._post("/flow_runs/filter", {"limit": 5})
            self._post("/flow_runs/count", {})
            self._client.get("/ready")

    def _holding(self) -> None:
        body = {"names": [self._limit], "slots": 1, "lease_duration": 60}
        self._post("/v2/concurrency_limits/increment-with-lease", body)

    def _of_old(self) -> None:
        """An event that is old enough to be deleted at once."""
        event = {"event": "of.old", "resource": {"prefect.resource.id": "a.thing"}, "id": str(uuid4())}
        self._post("/events", [event | {"occurred": (datetime.now(UTC) - timedelta(days=2)).isoformat()}])

    def _of_others(self) -> None:
        """A span of a client that has an SDK, and one that is none."""
        now = time.time_ns()
        span = {"spanId": uuid4().hex[:16], "name": "flow", "startTimeUnixNano": now, "endTimeUnixNano": now + 1}
        spans = [{"traceId": uuid4().hex, **span}, {"traceId": "", **span}]
        body = {"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}
        answer = self._client.post(self._client.base_url.join("/v1/traces"), json=body)
        assert answer.is_success, answer.text

    def _mistakes(self) -> None:
        """404 of an object and of nothing, 405, 409 and 422."""
        self._client.get(f"/flow_runs/{_NOWHERE}")
        self._client.get("/nowhere")
        self._client.put("/flows/")
        self._client.post("/flows/", json={"name": 1})
        self._client.post("/v2/concurrency_limits/", json={"name": self._limit, "limit": 1})

    def _troubled(self) -> None:
        """500 by a statement that fails, 503 by a lock that somebody else holds."""
        answers = self._troubles.failing_statements(2)
        assert [answer.status for answer in answers] == [500, 500]
        self.failed += [answer.trace_id for answer in answers]
        with ThreadPoolExecutor(1) as pool:
            over = threading.Event()
            left = pool.submit(self._leave, over)
            assert [answer.status for answer in self._troubles.locked_out(0.9, "locked")] == [503]
            over.set()
            left.result()

    def _leave(self, over: threading.Event) -> None:
        """Ask for a write, until one was not waited for: somebody else has locked the file meanwhile."""
        with contextlib.suppress(httpx.TimeoutException):
            while not over.is_set():
                self._client.post("/flows/", json={"name": "hasty"}, timeout=0.2)

    def _make_run(self, state: dict[str, Any] | None = None, **members: Any) -> str:
        body = {"flow_id": self._flow, "state": state or {"type": "PENDING"}, **members}
        return str(self._post("/flow_runs/", body)["id"])

    def _set(self, run: str, state: str) -> None:
        self._post(f"/flow_runs/{run}/set_state", {"state": {"type": state}})

    def _log(self, run: str) -> None:
        line = {"name": "n", "level": 20, "message": "m", "timestamp": datetime.now(UTC).isoformat()}
        self._post("/logs/", [line | {"flow_run_id": run}])

    def _post(self, path: str, body: object) -> Any:
        response = self._client.post(path, json=body)
        assert response.is_success, (path, response.text)
        return response.json() if response.content else None

    @contextlib.contextmanager
    def _socket(self, path: str) -> Iterator[Connection]:
        spoken = [Subprotocol("prefect")]
        # Followers do not read: without a bound on what they hold, they can be closed at once all the same.
        with connect(f"{self._sockets}{path}", subprotocols=spoken, proxy=None, max_queue=None) as socket:
            socket.send(json.dumps({"type": "auth", "token": None}))
            socket.recv(10)
            yield socket
