"""Flow runs as rows: made, found, moved through states, changed and deleted, on both databases."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select

from lightwell.contract.flow_runs import FlowRunResponse, FlowRunUpdate
from lightwell.contract.logs import LogCreate, LogFilter
from lightwell.contract.policies import FlowRunPolicy
from lightwell.contract.states import StateType
from lightwell.errors import Conflict, NotFound
from lightwell.kit.ids import new_id
from lightwell.storage import flow_run_states, flow_runs, flows, logs, task_runs
from lightwell.storage.database import Database
from lightwell.storage.tables import flow_run_state, task_run_state
from lightwell.storage.transaction import Reader, Transaction
from tests.storage.rows import making
from tests.storage.rows.making import NOON, minutes, state


@pytest.fixture
async def flow_id(store: Database) -> UUID:
    """A flow."""
    return await store.write(making.flow)


async def test_a_flow_run_is_read_as_it_was_made(store: Database, flow_id: UUID) -> None:
    """Every column comes back, of whatever JSON, and the answer passes its own model."""
    first = state("SCHEDULED", scheduled_time=minutes(1), transition_id=new_id())
    values = {
        "name": "brave-fox",
        "parameters": {"big": 2**70, "text": "ü\x00", "nested": [{"a": None}]},
        "context": {"a": 1.5},
        "tags": ["b", "a"],
        "labels": {"x": True, "y": 2},
        "empirical_policy": {"retries": 3, "pause_keys": ["k"]},
        "created_by": {"id": str(flow_id), "type": "SCHEDULE", "display_value": "x"},
        "job_variables": {"env": {}},
        "idempotency_key": "key",
        "expected_start_time": minutes(1),
        "next_scheduled_start_time": minutes(1),
    }
    run_id = await store.write(making.flow_run, flow_id, first, **values)
    answer = await store.read(flow_runs.read, run_id)
    assert FlowRunResponse.model_validate(answer.model_dump()) == answer
    assert list(answer.model_dump()) == list(FlowRunResponse.model_fields)
    assert answer.parameters == values["parameters"]
    assert answer.tags == ["b", "a"]
    assert answer.empirical_policy == FlowRunPolicy(retries=3, pause_keys={"k"})
    assert answer.state == first
    assert answer.state_type is StateType.SCHEDULED
    assert answer.created_by is not None
    assert answer.created_by.id == flow_id
    assert answer.expected_start_time == minutes(1)
    record = await store.read(flow_runs.get, run_id)
    assert record.empirical_policy == values["empirical_policy"]
    assert record.state == first


async def test_a_flow_run_without_anything_has_its_defaults(store: Database, flow_id: UUID) -> None:
    """What nobody has given is there, empty, and the run has a name."""
    run_id = await store.write(making.flow_run, flow_id)
    answer = await store.read(flow_runs.read, run_id)
    assert answer.name
    assert answer.state is None
    assert (answer.parameters, answer.tags, answer.labels, answer.job_variables) == ({}, [], {}, {})
    assert FlowRunResponse.model_validate(answer.model_dump()) == answer


async def test_one_run_for_an_idempotency_key(store: Database, flow_id: UUID) -> None:
    """A second run of the flow under the key is not made; another flow may use it, and none is not a key."""
    values = {"flow_id": flow_id, "idempotency_key": "k"}
    made = await store.write(flow_runs.insert, values, state("SCHEDULED"))
    assert await store.write(flow_runs.insert, values, state("SCHEDULED")) is None
    found = await store.read(flow_runs.find_by_key, flow_id, "k")
    assert found is not None
    assert found.id == made
    other = await store.write(making.flow, "other")
    assert await store.write(flow_runs.insert, {"flow_id": other, "idempotency_key": "k"}) is not None
    assert await store.write(flow_runs.insert, {"flow_id": flow_id}) != await store.write(
        flow_runs.insert, {"flow_id": flow_id}
    )
    assert await store.read(flow_runs.count) == 4


async def test_a_run_of_no_flow_is_a_conflict(store: Database) -> None:
    """A run must have a flow that exists."""
    with pytest.raises(Conflict):
        await store.write(flow_runs.insert, {"flow_id": new_id()})


async def test_states_follow_each_other(store: Database, flow_id: UUID) -> None:
    """The run has the last state, the history has all of them, and other columns change along."""
    states = [state("PENDING", minutes(0)), state("RUNNING", minutes(1)), state("COMPLETED", minutes(3))]
    run_id = await store.write(making.flow_run, flow_id, states[0])
    await store.write(flow_runs.append_state, run_id, states[1], {"start_time": minutes(1), "run_count": 1})
    running = await store.read(flow_runs.read, run_id)
    assert running.estimated_run_time > timedelta(0)
    await store.write(flow_runs.append_state, run_id, states[2], {"total_run_time": timedelta(minutes=2)})
    answer = await store.read(flow_runs.read, run_id)
    assert (answer.state, answer.run_count, answer.start_time) == (states[2], 1, minutes(1))
    assert answer.estimated_run_time == timedelta(minutes=2)
    assert await store.read(flow_run_states.select, run_id) == states
    assert await store.read(flow_run_states.get, states[1].id) == states[1]
    with pytest.raises(NotFound):
        await store.read(flow_run_states.get, new_id())


async def test_lateness_of_one_run(store: Database, flow_id: UUID) -> None:
    """A run is as late as it started, or as long as it has been waiting; one that has ended waits no more."""
    started = await store.write(
        making.flow_run, flow_id, state("RUNNING"), expected_start_time=NOON, start_time=minutes(2)
    )
    early = await store.write(making.flow_run, flow_id, expected_start_time=minutes(2), start_time=NOON)
    waiting = await store.write(
        making.flow_run, flow_id, state("SCHEDULED"), expected_start_time=NOON.replace(year=2020)
    )
    ended = await store.write(making.flow_run, flow_id, state("CANCELLED"), expected_start_time=NOON.replace(year=2020))
    late = [
        (await store.read(flow_runs.read, run)).estimated_start_time_delta for run in (started, early, waiting, ended)
    ]
    assert late[0] == timedelta(minutes=2)
    assert late[1] == timedelta(0)
    assert late[2] > timedelta(days=365)
    assert late[3] == timedelta(0)


async def test_changes(store: Database, flow_id: UUID) -> None:
    """What was sent changes and nothing else; a run that is not there is not found."""
    run_id = await store.write(making.flow_run, flow_id, name="before", tags=["t"])
    await store.write(flow_runs.update, run_id, FlowRunUpdate(name="after", infrastructure_pid="7"))
    answer = await store.read(flow_runs.read, run_id)
    assert (answer.name, answer.tags, answer.infrastructure_pid) == ("after", ["t"], "7")
    assert answer.updated is not None
    assert answer.created is not None
    assert answer.updated > answer.created
    for missing in (
        store.write(flow_runs.update, new_id(), {"name": "x"}),
        store.read(flow_runs.get, new_id()),
        store.read(flow_runs.read, new_id()),
    ):
        with pytest.raises(NotFound):
            await missing


def _rows(reader: Reader) -> tuple[int, ...]:
    tables = (flow_run_state, task_run_state)
    return tuple(int(reader.execute(select(func.count()).select_from(table)).scalar_one()) for table in tables)


async def test_deleting_takes_what_belongs_to_a_run(store: Database, flow_id: UUID) -> None:
    """States and task runs go with the run, a subflow stays without its parent, and logs go later, in batches."""
    run_id = await store.write(making.flow_run, flow_id, state("RUNNING"))
    task_id = await store.write(making.task_run, run_id, "sub", state("RUNNING"))
    child = await store.write(making.flow_run, flow_id, state("RUNNING"), parent_task_run_id=task_id)
    lines = [
        LogCreate(name="n", level=20, message=str(number), timestamp=minutes(number), flow_run_id=run_id)
        for number in range(5)
    ]
    await store.write(logs.insert, lines)
    assert await store.write(flow_runs.delete, [run_id, new_id()]) == 1
    assert await store.read(_rows) == (1, 0)
    assert (await store.read(flow_runs.get, child)).parent_task_run_id is None
    assert await store.read(task_runs.find, task_id) is None
    assert await store.read(logs.count, LogFilter()) == 5
    assert [await store.write(logs.delete_orphans, most=2) for _ in range(4)] == [2, 2, 1, None]


async def test_deleting_a_flow_takes_its_runs(store: Database, flow_id: UUID) -> None:
    """Runs and deployments go with the flow."""

    def populate(tx: Transaction) -> UUID:
        making.deployed(tx, flow_id, "d")
        run_id = making.flow_run(tx, flow_id, state("RUNNING"))
        logs.insert(tx, [LogCreate(name="n", level=20, message="m", timestamp=NOON, flow_run_id=run_id)])
        return run_id

    run_id = await store.write(populate)
    assert await store.write(flows.delete, [flow_id]) == 1
    assert await store.read(flow_runs.find, run_id) is None
    assert await store.read(_rows) == (0, 0)
    assert await store.write(logs.delete_orphans, most=10) == 1
    with pytest.raises(NotFound):
        await store.read(flows.get, flow_id)
