"""A server's SQLite file in the hands of a test: single requests fail in their statements while others go on."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from uuid import UUID, uuid4

import httpx

from tests.collector.real import until
from tests.serving import Serving

DOOMED = "doomed"
"""The name of flows and events that the database refuses to store, as it would refuse what it cannot read."""

_TRAPS = (
    f"CREATE TRIGGER no_flow BEFORE INSERT ON flow WHEN NEW.name = '{DOOMED}' BEGIN SELECT json('{{'); END",
    f"CREATE TRIGGER no_event BEFORE INSERT ON event WHEN NEW.event = '{DOOMED}' BEGIN SELECT json('{{'); END",
)


@dataclass(frozen=True)
class Answer:
    """What a request was answered."""

    what: str
    status: int
    trace_id: str


class Troubles:
    """Makes a server fail; every method answers what its requests were answered."""

    def __init__(self, server: Serving, home: Path) -> None:
        self._server = server
        self._path = home / "lightwell.sqlite3"
        self._client = httpx.Client(base_url=server.api_url, timeout=60)
        with self._database() as database:
            for trap in _TRAPS:
                database.execute(trap)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self._client.close()

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self._path, isolation_level=None, timeout=30)
        try:
            yield connection
        finally:
            connection.close()

    def _ask(self, what: str, method: str, path: str, json: object = None) -> Answer:
        response = self._client.request(method, path, json=json)
        return Answer(what, response.status_code, response.headers["x-trace-id"])

    def failing_statements(self, count: int) -> list[Answer]:
        """500: the database fails an INSERT."""
        return [self._ask("statement", "POST", "/flows/", {"name": DOOMED}) for _ in range(count)]

    def unreadable_rows(self, count: int) -> list[Answer]:
        """500: what is stored is no flow run."""
        run = self.make_run()
        with self._database() as database:
            database.execute("UPDATE flow_run SET state_type = 'BROKEN' WHERE id = ?", (UUID(run).bytes,))
            answers = [self._ask("row", "GET", f"/flow_runs/{run}") for _ in range(count)]
            database.execute("DELETE FROM flow_run WHERE id = ?", (UUID(run).bytes,))
        return answers

    def locked_out(self, seconds: float, what: str) -> list[Answer]:
        """A write while another program holds the file: slow, or 503 where that takes longer than writes wait."""
        with self._database() as database:
            database.execute("BEGIN IMMEDIATE")
            answers: list[Answer] = []
            writer = threading.Thread(
                target=lambda: answers.append(self._ask(what, "POST", "/flows/", {"name": str(uuid4())}))
            )
            writer.start()
            threading.Event().wait(seconds)
            database.execute("ROLLBACK")
            writer.join()
        return answers

    def broken_download(self) -> list[Answer]:
        """200, and the connection is cut in the middle."""
        run = self.make_run()
        line = {"name": "n", "level": 20, "message": "m", "timestamp": "2026-01-01T00:00:00Z", "flow_run_id": run}
        assert self._client.post("/logs/", json=[line]).status_code == 201
        with self._database() as database:
            database.execute("UPDATE log SET task_run_id = 'broken' WHERE flow_run_id = ?", (UUID(run).bytes,))
        with self._client.stream("GET", f"/flow_runs/{run}/logs/download") as response:
            try:
                response.read()
            except httpx.RemoteProtocolError:
                return [Answer("download", response.status_code, response.headers["x-trace-id"])]
        raise AssertionError("the download was whole")

    def crashing_tick(self) -> None:
        """A scheduled run that the loop of late runs cannot read, until it has said so."""
        state = {"type": "SCHEDULED", "state_details": {"scheduled_time": "2020-01-01T00:00:00Z"}}
        run = self.make_run(state)
        with self._database() as database:
            database.execute(
                "UPDATE flow_run SET state_name = 'Scheduled', labels = 'broken' WHERE id = ?", (UUID(run).bytes,)
            )
            until(lambda: any(line["event"] == "loop.tick_failed" for line in self._server.log_lines()), "a tick fails")
            database.execute("DELETE FROM flow_run WHERE id = ?", (UUID(run).bytes,))

    def make_run(self, state: object = None) -> str:
        """A flow run."""
        flow = self._client.post("/flows/", json={"name": "a flow"}).json()["id"]
        body = {"flow_id": flow, "state": state or {"type": "PENDING"}}
        return str(self._client.post("/flow_runs/", json=body).json()["id"])
