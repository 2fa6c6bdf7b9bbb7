"""Telemetry of a server as an operator runs it: the last batch, tracebacks, several workers."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
import websockets

from tests.postgres import PostgresServer
from tests.serving import Serving, lightwell_server
from tests.signals.collector import Collected, collecting

PATIENCE = 40.0
FLUSH = 1.0
NEVER = "600000"
"""Milliseconds until the next regular batch: what arrives before was sent at the end."""


def _settings(address: str) -> dict[str, str]:
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": address,
        "OTEL_BSP_SCHEDULE_DELAY": NEVER,
        "OTEL_METRIC_EXPORT_INTERVAL": NEVER,
        "LIGHTWELL_TELEMETRY_BASELINE_RATIO": "1",
        "LIGHTWELL_TELEMETRY_FLUSH_TIMEOUT": f"{FLUSH}s",
    }


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        pause.wait(0.02)


def _seconds_to_end(process: subprocess.Popen[bytes]) -> float:
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    process.wait(PATIENCE)
    return time.monotonic() - began


def test_the_last_batch_arrives_after_sigterm(tmp_path: Path) -> None:
    """Spans and metrics that were not sent before are sent at the end, whole, compressed, by one instance."""
    with collecting() as collected, lightwell_server(tmp_path, _settings(collected.address)) as server:
        trace = httpx.post(f"{server.api_url}/flows/", json={"name": "last"}).headers["x-trace-id"]
        assert not collected.requests
        took = _seconds_to_end(server.process)

    mine = {span.name for span in collected.spans if span.trace_id.hex() == trace}
    assert {"POST /api/flows/", "write flows.create", "flows.create"} <= mine
    assert "http.server.request.duration" in collected.metric_names
    assert len(collected.instances) == 1
    assert all(headers["content-encoding"] == "gzip" for _, headers, _ in collected.requests)
    assert took < FLUSH + 4
    assert not [line for line in server.log_lines() if line["level"] in {"warning", "error"}]


@contextmanager
def _dead(kind: str) -> Iterator[str]:
    if kind == "refuses":
        yield "http://127.0.0.1:1"
        return
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as silent:
        yield f"http://127.0.0.1:{silent.server_port}"


@pytest.mark.parametrize("kind", ["refuses", "stalls"])
def test_a_dead_collector_does_not_hold_up_the_end(kind: str, tmp_path: Path) -> None:
    """The server ends by its deadline, and says in a line or two what was lost."""
    with _dead(kind) as address, lightwell_server(tmp_path, _settings(address)) as server:
        for number in range(20):
            httpx.post(f"{server.api_url}/flows/", json={"name": f"lost {number}"})
        took = _seconds_to_end(server.process)

    assert took < FLUSH + 4
    complaints = [line for line in server.log_lines() if line["level"] in {"warning", "error"}]
    assert 1 <= len(complaints) <= 4
    assert not [line for line in complaints if "stack" in line]


def test_each_worker_is_an_instance_of_its_own(tmp_path: Path, postgres: PostgresServer) -> None:
    """Two workers on PostgreSQL send their own spans, each with its `service.instance.id`."""
    with collecting() as collected:
        settings = _settings(collected.address) | {
            "LIGHTWELL_DATABASE_URL": postgres.create_database(),
            "LIGHTWELL_LISTEN_WORKERS": "2",
            "OTEL_BSP_SCHEDULE_DELAY": "50",
        }
        each_anew = httpx.Limits(max_keepalive_connections=0)
        with lightwell_server(tmp_path, settings) as server, httpx.Client(limits=each_anew) as client:

            def both_have_sent() -> bool:
                assert client.get(f"{server.api_url}/hello").status_code == 200
                return len(collected.instances) == 2

            _until(both_have_sent)
            _seconds_to_end(server.process)

    assert len(collected.instances) == 2
    assert {span.name for span in collected.spans} >= {"GET /api/hello"}


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Serving, Collected, sqlite3.Connection]]:
    """A server with a collector, one fast loop, and its database in the hands of the test."""
    home = tmp_path_factory.mktemp("serving")
    with collecting() as collected:
        settings = _settings(collected.address) | {
            "OTEL_BSP_SCHEDULE_DELAY": "50",
            "LIGHTWELL_LOOPS_LATE_RUNS_PERIOD": "0.2s",
            "LIGHTWELL_LOOPS_LATE_RUNS_AFTER": "0s",
        }
        with (
            lightwell_server(home, settings) as server,
            closing(sqlite3.connect(home / "lightwell.sqlite3", isolation_level=None)) as other,
        ):
            yield server, collected, other


def _make_run(server: Serving, **state: object) -> str:
    flow = httpx.post(f"{server.api_url}/flows/", json={"name": "serving"}).json()["id"]
    body = {"flow_id": flow, "state": {"type": "PENDING"} | state}
    return str(httpx.post(f"{server.api_url}/flow_runs/", json=body).json()["id"])


def _tracebacks(server: Serving) -> list[dict[str, object]]:
    assert "Traceback" not in "".join(line for line in server.log.read_text().splitlines() if line[:1] != "{")
    return [line for line in server.log_lines() if "Traceback" in str(line)]


def test_a_500_prints_its_traceback_once(serving: tuple[Serving, Collected, sqlite3.Connection]) -> None:
    """The handler tells it; neither the framework nor uvicorn does again."""
    server, collected, database = serving
    run = _make_run(server)
    database.execute("UPDATE flow_run SET state_type = 'BROKEN' WHERE id = ?", (UUID(run).bytes,))
    before = len(_tracebacks(server))
    response = httpx.get(f"{server.api_url}/flow_runs/{run}")
    database.execute("DELETE FROM flow_run WHERE id = ?", (UUID(run).bytes,))

    assert response.status_code == 500
    (told,) = _tracebacks(server)[before:]
    assert told["trace_id"] == response.json()["trace_id"]
    _until(lambda: told["trace_id"] in {span.trace_id.hex() for span in collected.spans})


def test_a_broken_stream_prints_its_traceback_once(serving: tuple[Serving, Collected, sqlite3.Connection]) -> None:
    """The answer was begun with 200 and is cut off, so that the client sees it."""
    server, _, database = serving
    run = _make_run(server)
    line = {"name": "n", "level": 20, "message": "m", "timestamp": "2026-01-01T00:00:00Z", "flow_run_id": run}
    assert httpx.post(f"{server.api_url}/logs/", json=[line]).status_code == 201
    database.execute("UPDATE log SET task_run_id = 'broken' WHERE flow_run_id = ?", (UUID(run).bytes,))
    before = len(_tracebacks(server))
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(f"{server.api_url}/flow_runs/{run}/logs/download")

    (told,) = _tracebacks(server)[before:]
    assert told["event"] == "request.failed"
    (request,) = [one for one in server.log_lines() if "logs/download" in str(one.get("route"))]
    assert (request["status"], request["trace_id"]) == (200, told["trace_id"])


def test_a_client_that_hangs_up_is_told_without_a_traceback(
    serving: tuple[Serving, Collected, sqlite3.Connection],
) -> None:
    """`client.disconnected`, and a line without a status."""
    server, _, database = serving
    before = len(_tracebacks(server))
    database.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{server.api_url}/flows/", json={"name": "gone"}, timeout=0.3)
        _until(lambda: any(line["event"] == "client.disconnected" for line in server.log_lines()))
    finally:
        database.execute("ROLLBACK")

    _until(lambda: any(line["event"] == "http.request" and line["status"] is None for line in server.log_lines()))
    assert _tracebacks(server)[before:] == []


def test_a_loop_that_fails_prints_its_traceback_once_a_failure(
    serving: tuple[Serving, Collected, sqlite3.Connection],
) -> None:
    """Each failed tick is one line and one root span, of the same trace."""
    server, collected, database = serving
    before = len(_tracebacks(server))
    run = _make_run(server, type="SCHEDULED", state_details={"scheduled_time": "2020-01-01T00:00:00Z"})
    database.execute("UPDATE flow_run SET state_name = 'Scheduled', labels = 'broken' WHERE id = ?", (UUID(run).bytes,))
    _until(lambda: len(_tracebacks(server)) > before)
    database.execute("DELETE FROM flow_run WHERE id = ?", (UUID(run).bytes,))

    told = _tracebacks(server)[before:]
    assert {(line["event"], line["loop"]) for line in told} == {("loop.tick_failed", "late_runs")}
    traces = [str(line["trace_id"]) for line in told]
    assert len(set(traces)) == len(traces)
    _until(lambda: set(traces) <= {span.trace_id.hex() for span in collected.spans if span.name == "loop late_runs"})


async def test_websockets_are_told_by_us_alone(serving: tuple[Serving, Collected, sqlite3.Connection]) -> None:
    """No line of uvicorn's about connections; one of ours for each, with route and close code."""
    server, collected, _ = serving
    url = server.api_url.replace("http", "ws", 1) + "/events/in?token=1"
    async with websockets.connect(url, subprotocols=[websockets.Subprotocol("prefect")]) as socket:
        await socket.send('{"type": "auth"}')
        await socket.recv()
        resource = {"prefect.resource.id": "signals.one"}
        event = {"id": str(uuid4()), "occurred": "2026-01-01T00:00:00Z", "event": "e", "resource": resource}
        await socket.send(httpx.Request("POST", "http://e", json=event).content, text=True)
        await (await socket.ping())
    await asyncio.to_thread(_until, lambda: any(line["event"] == "websocket.closed" for line in server.log_lines()))

    (closed,) = [line for line in server.log_lines() if line["event"] == "websocket.closed"]
    assert (closed["route"], closed["code"], closed["closed_by"]) == ("/api/events/in", 1000, "client")
    assert not [
        line for line in server.log_lines() if str(line.get("logger", "")).startswith(("uvicorn", "websockets"))
    ]
    batch = "websocket batch /api/events/in"
    await asyncio.to_thread(_until, lambda: batch in {span.name for span in collected.spans})


def test_a_start_that_fails_is_still_told(tmp_path: Path) -> None:
    """What uvicorn says of a server that cannot start is not among what is kept quiet."""
    script = (
        "from lightwell.server import create_app; import uvicorn\n"
        "uvicorn.run(create_app(), lifespan='on', log_config=None, port=0)\n"
    )
    (tmp_path / "file").write_text("")
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("LIGHTWELL_", "PREFECT_", "OTEL_"))}
    settings = {"LIGHTWELL_HOME": str(tmp_path), "LIGHTWELL_DATABASE_URL": f"sqlite:///{tmp_path}/file/database"}
    ended = subprocess.run(
        [sys.executable, "-c", script],
        env=inherited | settings,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.returncode != 0
    assert "Application startup failed. Exiting." in ended.stderr
