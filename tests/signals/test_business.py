"""What runs, events and logs did is counted once, after the commit, on both databases."""

import sqlite3
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from tests.signals.conftest import Signals, eventually, talk
from tests.signals.stage import Stage, staged

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["sqlite", "postgresql"])
async def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """The application on either database."""
    database: dict[str, Any] = {}
    if request.param == "postgresql":
        database["url"] = request.getfixturevalue("postgres").create_database()
    async with staged(tmp_path_factory.mktemp("business"), database=database) as made:
        yield made


@pytest.fixture
def signals(stage: Stage, log_lines: Callable[[], list[str]]) -> Signals:
    """What the application tells in this test."""
    return stage.listen(log_lines)


def _attributes(point: Any) -> tuple[object, ...]:
    return tuple(value for _, value in sorted((point.attributes or {}).items()))


def _sums(signals: Signals, name: str) -> dict[tuple[object, ...], float]:
    return {_attributes(point): point.value for point in signals.points(name)}


def _counted(signals: Signals, name: str) -> dict[tuple[object, ...], float]:
    """Without those that still are at zero."""
    return {key: number for key, number in _sums(signals, name).items() if number}


def _counts(signals: Signals, name: str) -> dict[tuple[object, ...], int]:
    return {_attributes(point): point.count for point in signals.points(name)}


def _transitions(signals: Signals) -> dict[tuple[object, ...], float]:
    """By kind of run, from and to."""
    return _counted(signals, "lightwell.run.transitions")


async def _enter(stage: Stage, run: str, *states: str, kind: str = "flow_runs") -> None:
    for state in states:
        answer = await stage.post(f"/api/{kind}/{run}/set_state", {"state": {"type": state}, "force": True})
        assert answer["status"] == "ACCEPT"


async def test_flow_runs_are_counted_as_they_go(stage: Stage, signals: Signals) -> None:
    """Each change of state once; a duration for what ran and ended, a delay for what began; nothing for a refusal."""
    ran = await stage.make_run(state={"type": "PENDING"})
    await _enter(stage, ran, "RUNNING", "COMPLETED")
    crashed = await stage.make_run(state={"type": "PENDING"})
    await _enter(stage, crashed, "RUNNING", "CRASHED")
    never_ran = await stage.make_run(state={"type": "PENDING"})
    refused = await stage.post(f"/api/flow_runs/{never_ran}/set_state", {"state": {"type": "PENDING"}})
    await _enter(stage, never_ran, "CANCELLED")

    assert refused["status"] == "ABORT"
    assert _transitions(signals) == {
        ("flow_run", "NONE", "PENDING"): 3,
        ("flow_run", "PENDING", "RUNNING"): 2,
        ("flow_run", "RUNNING", "COMPLETED"): 1,
        ("flow_run", "RUNNING", "CRASHED"): 1,
        ("flow_run", "PENDING", "CANCELLED"): 1,
    }
    assert _counts(signals, "lightwell.run.duration") == {("flow_run", "COMPLETED"): 1, ("flow_run", "CRASHED"): 1}
    assert _counts(signals, "lightwell.run.start.delay") == {("flow_run",): 2}
    assert all(0 <= point.sum < 5 for point in signals.points("lightwell.run.duration"))


async def test_a_late_start_is_told_in_seconds(stage: Stage, signals: Signals) -> None:
    """From when the run was expected to when it began to run."""
    due = (datetime.now(UTC) - timedelta(minutes=2)).isoformat()
    run = await stage.make_run(state={"type": "SCHEDULED", "state_details": {"scheduled_time": due}})
    await _enter(stage, run, "RUNNING")

    (delay,) = signals.points("lightwell.run.start.delay")
    assert delay.count == 1
    assert 120 <= delay.sum < 180


async def test_task_runs_that_are_proposed_are_counted_and_are_no_events(stage: Stage, signals: Signals) -> None:
    """A state that the server orchestrates counts like one that a client reports; no event is stored of it."""
    body = {"task_key": "key", "dynamic_key": str(uuid4()), "flow_run_id": await stage.make_run()}
    task = (await stage.post("/api/task_runs/", body | {"state": {"type": "PENDING"}}))["id"]
    before = _counted(signals, "lightwell.events.ingested")
    await _enter(stage, task, "RUNNING", "FAILED", kind="task_runs")

    found = {key: number for key, number in _transitions(signals).items() if key[0] == "task_run"}
    assert found == {
        ("task_run", "NONE", "PENDING"): 1,
        ("task_run", "PENDING", "RUNNING"): 1,
        ("task_run", "RUNNING", "FAILED"): 1,
    }
    assert _counts(signals, "lightwell.run.duration") == {("task_run", "FAILED"): 1}
    assert _counted(signals, "lightwell.events.ingested") == before


def _report(task: str, state: str, previous: str | None, at: datetime, **run: Any) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "occurred": at.isoformat(),
        "event": f"prefect.task-run.{state.capitalize()}",
        "resource": {"prefect.resource.id": f"prefect.task-run.{task}", "prefect.orchestration": "client"},
        "payload": {
            "initial_state": previous and {"type": previous, "name": previous.capitalize()},
            "validated_state": {"type": state},
            "task_run": {"task_key": "key", "dynamic_key": task, "run_count": 1, **run},
        },
    }


async def test_what_clients_report_is_counted_once(stage: Stage, signals: Signals) -> None:
    """Task runs by their own times, events by how late they came; what comes again is a duplicate and counts once."""
    task = str(uuid4())
    now = datetime.now(UTC)
    began, ended = now - timedelta(seconds=40), now - timedelta(seconds=10)
    times = {"expected_start_time": (began - timedelta(seconds=7)).isoformat(), "start_time": began.isoformat()}
    events = [
        _report(task, "PENDING", None, began - timedelta(seconds=1), run_count=0),
        _report(task, "RUNNING", "PENDING", began, **times),
        _report(task, "COMPLETED", "RUNNING", ended, **times, end_time=ended.isoformat(), total_run_time=30.0),
    ]
    await stage.post("/api/events", events)
    await stage.post("/api/events", events[1:])

    assert _transitions(signals) == {
        ("task_run", "NONE", "PENDING"): 1,
        ("task_run", "PENDING", "RUNNING"): 1,
        ("task_run", "RUNNING", "COMPLETED"): 1,
    }
    (duration,) = signals.points("lightwell.run.duration")
    assert (_attributes(duration), duration.count, duration.sum) == (("task_run", "COMPLETED"), 1, 30.0)
    (delay,) = signals.points("lightwell.run.start.delay")
    assert (_attributes(delay), delay.count, delay.sum) == (("task_run",), 1, 7.0)
    assert _counted(signals, "lightwell.events.ingested") == {("client",): 3}
    assert _counted(signals, "lightwell.events.dropped") == {("duplicate",): 2}
    (late,) = signals.points("lightwell.events.delay")
    assert late.count == 3
    assert 91 <= late.sum < 151


async def test_the_servers_own_events_are_counted_apart(stage: Stage, signals: Signals) -> None:
    """They are not late: the server states them when they happen."""
    await stage.make_flow(str(uuid4()))

    assert _counted(signals, "lightwell.events.ingested") == {("server",): 1}
    assert signals.points("lightwell.events.delay") == []


async def test_an_event_that_cannot_be_read_is_dropped(stage: Stage, signals: Signals) -> None:
    """On a websocket nobody is answered with 422, so it is counted."""
    async with talk(stage.app, "prefect", path="/api/events/in") as socket:
        await socket.say('{"type": "auth"}')
        await socket.say("{}")

    assert _counted(signals, "lightwell.events.dropped") == {("invalid",): 1}


async def test_log_lines_are_counted(stage: Stage, signals: Signals) -> None:
    """As many as were stored."""
    line = {"name": "prefect", "level": 20, "message": "m", "timestamp": "2026-01-01T00:00:00Z"}
    await stage.post("/api/logs/", [line] * 3)
    await stage.post("/api/logs/", [line] * 4)

    assert _sums(signals, "lightwell.log_lines.received") == {(): 7}


async def test_what_waits_for_a_slow_listener_is_a_backlog(stage: Stage, signals: Signals) -> None:
    """Of the stream that it listens to; gone when it has left."""
    with stage.services.event_stream.listen(lambda _: True):
        await stage.make_flow(str(uuid4()))
        await stage.make_flow(str(uuid4()))
        assert _sums(signals, "lightwell.stream.backlog") == {("events",): 2, ("logs",): 0}
    assert _sums(signals, "lightwell.stream.backlog") == {("events",): 0, ("logs",): 0}


async def test_the_database_tells_its_load(stage: Stage, signals: Signals) -> None:
    """Nothing waits or runs where nothing was asked; the connections are as many as the settings say."""
    assert _sums(signals, "lightwell.db.units.waiting") == {("read",): 0, ("write",): 0}
    assert _sums(signals, "lightwell.db.units.running") == {("read",): 0, ("write",): 0}
    expected = 4 if stage.services.database.dialect == "sqlite" else 8
    assert _sums(signals, "lightwell.db.pool.size") == {(): expected}


@pytest.mark.usefixtures("stage")
async def test_process_and_disk_are_told(signals: Signals) -> None:
    """As the operating system has them, and the event loop by how late it calls back."""
    await eventually(lambda: bool(signals.points("lightwell.event_loop.lag")))
    found: Mapping[str, Counter[Any]] = {
        name: Counter(_sums(signals, name))
        for name in (
            "process.cpu.time",
            "process.memory.usage",
            "process.open_file_descriptors",
            "process.threads",
            "process.start_time",
            "lightwell.disk.free",
            "lightwell.disk.size",
        )
    }
    assert set(found["process.cpu.time"]) == {("user",), ("system",)}
    assert found["process.cpu.time"]["user",] > 0
    assert found["process.memory.usage"][()] > 20 * 2**20
    assert found["process.open_file_descriptors"][()] > 3
    assert found["process.threads"][()] >= 2
    assert time.time() - 86_400 < found["process.start_time"][()] < time.time()
    assert 0 < found["lightwell.disk.free"][()] <= found["lightwell.disk.size"][()]
    (lag,) = signals.points("lightwell.event_loop.lag")
    assert 0 <= lag.sum / lag.count < 1


async def test_events_that_the_database_does_not_take_are_counted(
    tmp_path: Path, log_lines: Callable[[], list[str]]
) -> None:
    """Their client is told to come again, and sends them again."""
    async with staged(tmp_path, database={"lock_timeout": 0.1}) as made:
        signals = made.listen(log_lines)
        event = {"id": str(uuid4()), "occurred": "2026-01-01T00:00:00Z", "event": "e"}
        event |= {"resource": {"prefect.resource.id": "x"}}  # type: ignore[dict-item]
        with closing(sqlite3.connect(tmp_path / "lightwell.sqlite3", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            async with talk(made.app, "prefect", path="/api/events/in") as socket:
                await socket.say('{"type": "auth"}')
                closed = await socket.send_json(event)
            other.execute("ROLLBACK")

    assert closed["type"] == "websocket.close"
    assert closed["code"] == 1013
    assert _counted(signals, "lightwell.events.dropped") == {("refused",): 1}
