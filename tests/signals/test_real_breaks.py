"""What breaks in the middle, on the real application: the database, streams, clients, websockets, loops."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn
from uuid import uuid4

import psycopg
import pytest
import pytest_asyncio
import sqlalchemy
from opentelemetry.trace import StatusCode

from lightwell.contract.logs import Log
from lightwell.events.broadcast import Broadcast
from lightwell.operations import events
from lightwell.storage import due_flow_runs, flow_runs, logs
from lightwell.storage.database import parsed
from lightwell.storage.transaction import Reader
from tests.postgres import PostgresServer
from tests.signals.conftest import Signals, eventually, http_scope, nobody, scripted, talk
from tests.signals.stage import Stage, staged
from tests.signals.story import Case, check_story

pytestmark = pytest.mark.asyncio(loop_scope="module")

FLOWS = "/api/flows/"
DOWNLOAD = "/api/flow_runs/{id}/logs/download"
EVENTS_IN = "/api/events/in"
EVENTS_OUT = "/api/events/out"
Lines = Callable[[], list[str]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """The application, whose database takes one unit of each kind at a time."""
    async with staged(tmp_path_factory.mktemp("breaks"), database={"queue_limit": 1}) as made:
        yield made


@pytest.fixture
def signals(stage: Stage, log_lines: Lines) -> Signals:
    """What the application tells in this test."""
    return stage.listen(log_lines)


def _break(*_args: object, **_options: object) -> NoReturn:
    raise RuntimeError("a defect")


@contextmanager
def held(home: Path) -> Iterator[None]:
    """Another program holds the SQLite file, so that nobody can write to it."""
    with closing(sqlite3.connect(home / "lightwell.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


async def test_a_full_queue_is_503(stage: Stage, signals: Signals) -> None:
    """The error type says which kind of 503, and the caller is told when to come again; the one that waits succeeds."""
    with held(stage.home):
        waiting = asyncio.ensure_future(stage.client.post(FLOWS, json={"name": "first"}))
        await eventually(lambda: stage.services.database.pending["write"] == 1)
        case = Case(
            "POST", FLOWS, 503, FLOWS, f"POST {FLOWS}", ["exception"], "lightwell.errors.Busy", {"name": "second"}
        )
        response = await case.ask(stage.client)
        assert response.headers["retry-after"] == "1"
        assert response.json()["trace_id"] == response.headers["x-trace-id"]
        (refused,) = signals.events("request.unavailable")
        (line,) = signals.events("http.request")
        assert (line["status"], line["level"], refused["trace_id"]) == (503, "warning", line["trace_id"])
        (span,) = signals.server_spans
        assert (span.name, span.status.status_code) == (case.name, StatusCode.ERROR)
        assert [event.name for event in span.events] == case.events
        assert not [one for one in signals.lines if "stack" in one]
    assert (await waiting).status_code == 201


@pytest.mark.parametrize(
    ("path", "error_type", "events"),
    [("/api/flows/count", "lightwell.errors.Unavailable", ["exception"]), ("/api/ready", "503", [])],
)
async def test_a_database_that_is_away_is_503(
    path: str, error_type: str, events: list[str], postgres: PostgresServer, tmp_path: Path, log_lines: Lines
) -> None:
    """PostgreSQL refuses what it accepted before; `/ready` says so too; the password is nowhere."""
    url = postgres.create_database().replace("lightwell@", "lightwell:hunter2@")
    async with staged(tmp_path, database={"url": url, "pool_size": 1}) as stage:
        assert (await stage.client.get("/api/ready")).status_code == 200
        with psycopg.connect(postgres.url("postgres"), autocommit=True) as superuser:
            superuser.execute(f'DROP DATABASE "{parsed(url).database}" WITH (FORCE)'.encode())
        signals = stage.listen(log_lines)
        method = "GET" if path == "/api/ready" else "POST"
        case = Case(method, path, 503, path, f"{method} {path}", events, error_type)
        response = await case.ask(stage.client)

        check_story(case, response, signals)
        assert response.headers["retry-after"] == "1"
        assert "hunter2" not in signals.everything()
        assert not [line for line in signals.lines if "stack" in line]


async def test_a_download_that_breaks_is_an_error_once(
    stage: Stage, signals: Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """200 was sent; span, point and line say that it failed all the same, with one exception and one traceback."""
    run = await stage.make_run()
    signals = stage.listen(signals.read_lines)
    monkeypatch.setattr(logs, "select_after", _break)
    await stage.client.get(f"/api/flow_runs/{run}/logs/download")

    (span,) = signals.server_spans
    assert (span.name, span.status.status_code) == (f"GET {DOWNLOAD}", StatusCode.ERROR)
    assert [event.name for event in span.events] == ["exception"]
    (point,) = signals.points("http.server.request.duration")
    (line,) = signals.events("http.request")
    assert (line["route"], line["status"], line["error_type"]) == (DOWNLOAD, 200, "RuntimeError")
    assert (point.attributes["http.route"], point.attributes["error.type"]) == (DOWNLOAD, "RuntimeError")
    assert len([one for one in signals.lines if "stack" in one]) == 1


async def test_a_client_that_leaves_a_download_is_no_error(
    stage: Stage, signals: Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The span stays UNSET and says so; it is counted."""
    run = await stage.make_run()
    signals = stage.listen(signals.read_lines)
    message = {"timestamp": "2026-01-01T00:00:00Z", "name": "n", "level": 20, "message": "m", "flow_run_id": run}
    line = Log.model_validate(message | {"id": uuid4(), "created": None, "updated": None})
    monkeypatch.setattr(logs, "select_after", lambda *_, **__: [line])
    leaving: list[dict[str, Any]] = [{"type": "http.request", "body": b""}, {"type": "http.disconnect"}]
    await stage.app(http_scope("GET", f"/api/flow_runs/{run}/logs/download"), scripted(leaving), nobody)

    (span,) = signals.server_spans
    assert (span.name, span.status.status_code) == (f"GET {DOWNLOAD}", StatusCode.UNSET)
    assert [event.name for event in span.events] == ["client.disconnected"]
    (point,) = signals.points("lightwell.http.client_disconnects")
    assert (point.value, point.attributes) == (1, {"http.route": DOWNLOAD})
    assert not [one for one in signals.lines if one["level"] == "error"]


async def test_a_client_that_leaves_while_its_unit_waits_is_no_error(stage: Stage, signals: Signals) -> None:
    """No status was sent, so none is told; the unit that was not begun is a cancelled one, and no failure."""
    gone = asyncio.Event()
    body = iter([{"type": "http.request", "body": b'{"name": "never made"}', "more_body": False}])

    async def receive() -> dict[str, Any]:
        if (message := next(body, None)) is not None:
            return message
        await gone.wait()
        return {"type": "http.disconnect"}

    scope = http_scope("POST", FLOWS) | {"headers": [(b"content-type", b"application/json")]}
    with held(stage.home):
        blocking = asyncio.ensure_future(stage.client.get("/api/hello"))
        leaving = asyncio.ensure_future(stage.app(scope, receive, nobody))
        await blocking
        await eventually(lambda: stage.services.database.pending["write"] == 1)
        gone.set()
        await leaving
    await eventually(lambda: stage.services.database.pending["write"] == 0)

    (span,) = [one for one in signals.server_spans if one.name == f"POST {FLOWS}"]
    assert span.status.status_code is StatusCode.UNSET
    assert [event.name for event in span.events] == ["client.disconnected"]
    (line,) = [one for one in signals.events("http.request") if one["route"] == FLOWS]
    assert line["status"] is None
    assert not [one for one in signals.lines if one["level"] == "error"]


def _event(name: str = "signals.test") -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "occurred": "2026-01-01T00:00:00Z",
        "event": name,
        "resource": {"prefect.resource.id": "signals.one"},
        "related": [],
        "payload": {},
    }


async def test_a_websocket_is_a_handshake_and_batches(stage: Stage, signals: Signals) -> None:
    """Each is a root of its own; the batches are linked to the handshake, and hold their units."""
    async with talk(stage.app, "prefect", path=EVENTS_IN) as session:
        assert (await session.send_json({"type": "auth", "token": None}))["type"] == "websocket.send"
        for _ in range(2):
            await session.send_json(_event(), answered=False)
        batch = f"websocket batch {EVENTS_IN}"
        await eventually(lambda: [span.name for span in signals.spans].count(batch) == 2)

    spans = signals.spans
    (handshake,) = [span for span in spans if span.name == f"websocket {EVENTS_IN}"]
    assert (handshake.attributes or {})["http.response.status_code"] == 101
    assert (handshake.attributes or {})["http.route"] == EVENTS_IN
    for one in (span for span in spans if span.name == batch):
        assert one.parent is None
        assert [link.context for link in one.links] == [handshake.context]
        within = [span for span in spans if span.parent and one.context and span.parent.span_id == one.context.span_id]
        assert [span.name for span in within] == ["write events.record"]
    (closed,) = signals.events("websocket.closed")
    assert (closed["route"], closed["code"], closed["closed_by"]) == (EVENTS_IN, 1000, "client")
    (point,) = signals.points("lightwell.websocket.closes")
    assert point.attributes["lightwell.websocket.close_code"] == 1000


@pytest.mark.parametrize(
    ("message", "code", "is_over"),
    [({"type": "hello"}, 1008, False), ({"type": "auth"}, 1002, True)],
    ids=["not authenticated", "no event"],
)
async def test_a_websocket_that_is_refused_tells_its_close_code(
    message: dict[str, str],
    code: int,
    is_over: bool,  # noqa: FBT001 -- whether the handshake is, when it is closed
    stage: Stage,
    signals: Signals,
) -> None:
    """On the handshake if that was not over, in the line and in the counter in any case."""
    async with talk(stage.app, "prefect", path=EVENTS_IN) as session:
        await session.send_json(message)
        if is_over:
            await session.send_json({"no": "event"})

    (handshake,) = signals.server_spans
    assert handshake.status.status_code is StatusCode.UNSET
    assert (handshake.attributes or {}).get("lightwell.websocket.close_code") == (None if is_over else code)
    (closed,) = signals.events("websocket.closed")
    assert (closed["code"], closed["closed_by"]) == (code, "server")


async def _hand_in(stage: Stage, event: dict[str, Any]) -> None:
    async with talk(stage.app, "prefect", path=EVENTS_IN) as session:
        await session.send_json({"type": "auth"})
        await session.send_json(event)


async def test_a_batch_that_fails_is_told_once(stage: Stage, signals: Signals, monkeypatch: pytest.MonkeyPatch) -> None:
    """The batch is ERROR and the handshake is not; one traceback, in its trace; the connection ends with 1011."""
    monkeypatch.setattr(events, "record", _break)
    with pytest.raises(RuntimeError, match="a defect"):
        await _hand_in(stage, _event())

    roots = {span.name: span for span in signals.spans if span.parent is None}
    assert roots[f"websocket {EVENTS_IN}"].status.status_code is StatusCode.UNSET
    batch = roots[f"websocket batch {EVENTS_IN}"]
    assert batch.status.status_code is StatusCode.ERROR
    assert [event.name for event in batch.events] == ["exception"]
    (told,) = [line for line in signals.lines if "stack" in line]
    assert batch.context is not None
    assert (told["event"], told["trace_id"]) == ("websocket.failed", f"{batch.context.trace_id:032x}")
    assert signals.events("websocket.closed")[0]["code"] == 1011


async def test_a_client_whose_connection_breaks_has_left(stage: Stage, signals: Signals) -> None:
    """What could not be sent to it is no failure: the line of the close says that it was the client who went."""
    wanted = {"event": {"name": ["signals.broken"]}}
    event = _event("signals.broken") | {"occurred": datetime.now(UTC).isoformat()}
    async with (
        talk(stage.app, "prefect", path=EVENTS_OUT) as session,
        talk(stage.app, "prefect", path=EVENTS_IN) as other,
    ):
        await session.send_json({"type": "auth"})
        await session.send_json({"type": "filter", "filter": wanted}, answered=False)
        await eventually(lambda: len(stage.services.event_stream) == 1)
        session.is_lost = True
        await other.send_json({"type": "auth"})
        await other.send_json(event, answered=False)
        await eventually(lambda: any(line["route"] == EVENTS_OUT for line in signals.events("websocket.closed")))

    (closed,) = [line for line in signals.events("websocket.closed") if line["route"] == EVENTS_OUT]
    assert (closed["code"], closed["closed_by"]) == (1006, "client")
    assert signals.events("websocket.failed") == []
    (batch,) = [span for span in signals.spans if span.name == f"websocket batch {EVENTS_OUT}"]
    assert batch.status.status_code is StatusCode.UNSET


async def test_a_loop_that_fails_is_a_root_span_of_its_own(
    tmp_path: Path, log_lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ERROR with one exception, one line with the traceback for each failure, and a point with the outcome."""
    monkeypatch.setattr(due_flow_runs, "select_late", _break)
    async with staged(tmp_path, loops={"late_runs": {"period": 0.1}}) as stage:
        signals = stage.listen(log_lines)
        await eventually(lambda: bool(signals.events("loop.tick_failed")))
        await eventually(lambda: any(span.name == "loop late_runs" for span in signals.spans))

    ticks = [span for span in signals.spans if span.name == "loop late_runs"]
    assert ticks[0].parent is None
    assert ticks[0].status.status_code is StatusCode.ERROR
    assert [event.name for event in ticks[0].events] == ["exception"]
    failures = signals.events("loop.tick_failed")
    assert {line["loop"] for line in failures} == {"late_runs"}
    assert len([line for line in signals.lines if "stack" in line]) == len(failures)
    outcomes = {point.attributes["lightwell.outcome"] for point in signals.points("lightwell.loop.tick.duration")}
    assert "RuntimeError" in outcomes


async def test_the_statement_that_failed_is_in_the_trace(stage: Stage, signals: Signals) -> None:
    """As a span that is ERROR, with its text, the error's type and the database's code, and without a value."""
    with closing(sqlite3.connect(stage.home / "lightwell.sqlite3", isolation_level=None)) as other:
        other.execute("ALTER TABLE flow RENAME TO gone")
        response = await stage.client.post(FLOWS, json={"name": "hunter2"})
        other.execute("ALTER TABLE gone RENAME TO flow")

    assert response.status_code == 500
    spans = {span.name: span for span in signals.spans}
    failed = [span for span in signals.spans if "db.response.status_code" in (span.attributes or {})]
    (statement,) = failed
    attributes = dict(statement.attributes or {})
    assert statement.status.status_code is StatusCode.ERROR
    assert "flow" in str(attributes["db.query.text"])
    assert attributes["error.type"] == "sqlite3.OperationalError"
    assert str(attributes["db.response.status_code"]).startswith("SQLITE_")
    assert statement.parent is not None
    assert statement.parent.span_id in {span.context.span_id for span in spans.values() if span.context}
    assert spans["write flows.create"].status.status_code is StatusCode.ERROR
    assert "hunter2" not in signals.everything()


async def test_a_listener_that_fails_after_the_commit_is_not_the_requests_failure(
    stage: Stage, signals: Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was committed is answered so; the failure has a line and a trace of its own, with its traceback."""
    await stage.make_flow()
    monkeypatch.setattr(Broadcast, "publish", _break)
    run = await stage.make_run()

    assert run
    (apart,) = [span for span in signals.spans if span.status.status_code is StatusCode.ERROR]
    assert (apart.name, apart.parent) == ("background bus", None)
    (line,) = [one for one in signals.lines if "stack" in one]
    assert (line["event"], line["exception_message"]) == ("bus.subscriber_failed", "a defect")


async def test_a_failure_outside_of_the_baseline_is_kept_with_all_attributes(
    tmp_path: Path, log_lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At a ratio of zero too its spans say what they are; the healthy requests before it are not kept."""

    def read(reader: Reader, *_args: object) -> NoReturn:
        reader.execute(sqlalchemy.text("SELECT 1"))
        raise RuntimeError("a defect")

    async with staged(tmp_path, ratio=0.0) as stage:
        signals = stage.listen(log_lines)
        run = await stage.make_run()
        monkeypatch.setattr(flow_runs, "read", read)
        assert (await stage.client.get(f"/api/flow_runs/{run}")).status_code == 500

    (server,) = signals.server_spans
    told = {span.name: dict(span.attributes or {}) for span in signals.spans}
    assert told[server.name]["lightwell.kept.reason"] == "error"
    assert told["SELECT"]["db.query.text"] == "SELECT 1"
    (unit,) = [attributes for name, attributes in told.items() if name.startswith("read ")]
    assert (unit["lightwell.db.unit.statements"], unit["error.type"]) == (1, "RuntimeError")
