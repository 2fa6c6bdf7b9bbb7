"""What the server counts in its database by the clock is exactly what is there, on both databases."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from lightwell.contract.states import StateType
from lightwell.instrumentation import figures
from lightwell.kit.ids import new_id
from lightwell.storage import leases
from tests.signals.conftest import Signals
from tests.signals.stage import Stage, staged

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATIENCE = 30.0
REASONS = {
    "awaiting_retry",
    "pool_paused",
    "queue_paused",
    "awaiting_concurrency_slot",
    "no_deployment",
    "no_worker_polling",
    "late",
}
Loops = Mapping[str, Any]
COUNTING: Loops = {
    "statistics": {"period": 0.1, "sizes_period": 0},
    "exporter_names": {"enabled": True, "period": 0.1, "most_series": 3},
}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The settings of either database."""
    if request.param == "sqlite":
        return {}
    return {"url": request.getfixturevalue("postgres").create_database()}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory, database: dict[str, Any]) -> AsyncIterator[Stage]:
    """The application, counting all the time, after a known load."""
    async with staged(tmp_path_factory.mktemp("figures"), database=database, loops=COUNTING) as made:
        await _load(made)
        yield made


async def _load(stage: Stage) -> None:
    """Three flows with runs in known states."""
    run = ""
    now = datetime.now(UTC)
    for flow, states in {"one": ["PENDING", "COMPLETED", "COMPLETED"], "two": ["FAILED"], "three": []}.items():
        flow_id = await stage.make_flow(flow)
        for state in states:
            body = {"flow_id": flow_id, "state": {"type": "PENDING"}}
            run = (await stage.post("/api/flow_runs/", body))["id"]
            for step in [] if state == "PENDING" else ["RUNNING", state]:
                await stage.post(f"/api/flow_runs/{run}/set_state", {"state": {"type": step}, "force": True})
        for due in [-300, -200, -5, 3600] if flow == "three" else []:
            details = {"scheduled_time": (now + timedelta(seconds=due)).isoformat()}
            state_ = {"type": "SCHEDULED", "state_details": details}
            await stage.post("/api/flow_runs/", {"flow_id": flow_id, "state": state_})
    task = {"task_key": "k", "dynamic_key": "0", "flow_run_id": run, "state": {"type": "RUNNING"}}
    await stage.post("/api/task_runs/", task)
    for lifetime in (timedelta(hours=1), timedelta(0)):
        await stage.services.database.write(leases.acquire, new_id(), [], 1, lifetime=lifetime)


@pytest_asyncio.fixture(loop_scope="module")
async def signals(stage: Stage, log_lines: Callable[[], list[str]]) -> Signals:
    """What the application tells once it has counted again."""
    listening = stage.listen(log_lines)
    figures.forget()
    give_up = time.monotonic() + PATIENCE
    while not _has_counted():
        assert time.monotonic() < give_up, "it did not count"
        await asyncio.sleep(0.02)
    return listening


def _has_counted() -> bool:
    """Whether each of the counts is done: one that took long rests longer than the others."""
    kinds = {attributes["lightwell.run.kind"] for _, attributes in figures.read("lightwell.runs")}
    others = ("lightwell.runs.scheduled", "lightwell.leases.held", "lightwell.db.size", "prefect_flows_total")
    return kinds == {"flow_run", "task_run"} and all(figures.read(name) for name in others)


def _values(signals: Signals, name: str) -> dict[tuple[object, ...], float]:
    return {
        tuple(value for _, value in sorted((point.attributes or {}).items())): point.value
        for point in signals.points(name)
    }


async def test_runs_are_counted_by_state(signals: Signals) -> None:
    """Every type of state is there, with zero where no run is."""
    found = _values(signals, "lightwell.runs")
    assert set(found) == {
        (kind, state) for kind in ("flow_run", "task_run") for state in {*(one.value for one in StateType), "NONE"}
    }
    assert {key: number for key, number in found.items() if number} == {
        ("flow_run", "PENDING"): 1,
        ("flow_run", "COMPLETED"): 2,
        ("flow_run", "FAILED"): 1,
        ("flow_run", "SCHEDULED"): 4,
        ("task_run", "RUNNING"): 1,
    }


async def test_what_waits_is_told_by_reason_and_kind(signals: Signals) -> None:
    """What is due is in a queue's depth, what has been due for long is late; the others wait for their time."""
    assert _values(signals, "lightwell.runs.scheduled") == {("later",): 1, ("overdue",): 3}
    assert _values(signals, "lightwell.queue.depth") == {("none",): 3}
    late = _values(signals, "lightwell.runs.late")
    assert late == {(reason,): 2 if reason == "no_deployment" else 0 for reason in REASONS}
    ages = _values(signals, "lightwell.runs.late.age")
    assert set(ages) == set(late)
    assert 300 <= ages["no_deployment",] < 3600
    assert {age for reason, age in ages.items() if reason != ("no_deployment",)} == {0}
    assert 300 <= _values(signals, "lightwell.queue.age")["none",] < 3600


async def test_leases_are_counted(signals: Signals) -> None:
    """Those that hold."""
    assert _values(signals, "lightwell.leases.held") == {(): 1}
    assert 0 <= _values(signals, "lightwell.leases.age")[()] < 60


async def test_tables_are_measured(stage: Stage, signals: Signals) -> None:
    """Rows everywhere; bytes of each table where the database knows them, and of the whole in any case."""
    rows, sizes = _values(signals, "lightwell.db.table.rows"), _values(signals, "lightwell.db.table.size")
    assert _values(signals, "lightwell.db.size")[()] > 100_000
    if stage.services.database.dialect == "sqlite":
        assert (rows["flow",], rows["flow_run",], rows["task_run",]) == (3, 8, 1)
        assert sizes == {}
    else:
        assert set(sizes) == set(rows) >= {("flow",), ("event_resource",)}
        assert sizes["flow_run",] > 8192


async def test_the_names_of_the_exporter_are_as_it_has_them(signals: Signals) -> None:
    """Its totals, its series with its labels, no more of them than asked for, and what was left out."""
    assert _values(signals, "prefect_flows_total") == {(): 3}
    assert _values(signals, "prefect_info_flows") == {("one",): 1, ("two",): 1, ("three",): 1}
    assert _values(signals, "prefect_flow_runs_total") == {(): 3}
    assert _values(signals, "prefect_deployments_total") == {(): 0}
    assert _values(signals, "prefect_work_pools_total") == {(): 0}
    assert _values(signals, "prefect_work_queues_total") == {(): 0}
    assert set(_values(signals, "prefect_flow_runs_total_run_time")) == {("null", "one"), ("null", "two")}
    runs = _values(signals, "prefect_info_flow_runs")
    assert len(runs) == 3
    assert runs["null", "one", "Completed", "None"] == 2
    assert _values(signals, "lightwell.exporter_names.dropped") == {(): 1}
    (some, *_) = signals.points("prefect_info_flow_runs")
    assert set(some.attributes) == {"deployment_name", "flow_name", "state_name", "work_queue_name"}
