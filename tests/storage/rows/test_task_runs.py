"""Task runs as rows: made, found, filtered, and written from reports that come in any order, on both databases."""

from datetime import timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest

from lightwell.contract.queries import TaskRunsQuery
from lightwell.contract.states import State
from lightwell.contract.task_runs import Constant, TaskRun, TaskRunResult, TaskRunSummary, TaskRunUpdate
from lightwell.errors import NotFound
from lightwell.kit.ids import new_id
from lightwell.storage import task_run_figures, task_run_reports, task_run_states, task_runs
from lightwell.storage.database import Database
from lightwell.storage.filters import criteria_of
from lightwell.storage.task_run_reports import Outcome
from lightwell.storage.transaction import Reader, Transaction
from tests.storage.rows import making
from tests.storage.rows.making import NOON, minutes, state


@pytest.fixture
async def flow_run_id(store: Database) -> UUID:
    """A flow run."""
    return await store.write(lambda tx: making.flow_run(tx, making.flow(tx), state("RUNNING"), name="run"))


async def test_a_task_run_is_read_as_it_was_made(store: Database, flow_run_id: UUID) -> None:
    """Every column comes back, and the answer passes its own model."""
    current = state("PENDING", task_run_id=new_id())
    inputs = {
        "x": [{"input_type": "task_run", "id": str(flow_run_id)}],
        "y": [{"input_type": "constant", "type": "int"}],
    }
    values = {
        "name": "t-0",
        "task_inputs": inputs,
        "tags": ["a"],
        "empirical_policy": {"retries": 2, "retry_delay": [1]},
    }
    run_id = await store.write(making.task_run, flow_run_id, "t", current, **values)
    answer = await store.read(task_runs.read, run_id)
    assert TaskRun.model_validate(answer.model_dump()) == answer
    assert list(answer.model_dump()) == list(TaskRun.model_fields)
    assert answer.state == current
    assert answer.task_inputs == {"x": [TaskRunResult(id=flow_run_id)], "y": [Constant(type="int")]}
    assert answer.empirical_policy.retry_delay == [1]
    assert TaskRunSummary.model_validate(task_runs.summary(answer).model_dump()).name == "t-0"
    named = await store.read(task_runs.read_with_flow_run_name, run_id)
    assert named.flow_run_name == "run"
    await store.write(task_runs.update, run_id, TaskRunUpdate(name="new"))
    assert (await store.read(task_runs.get, run_id)).name == "new"
    assert await store.write(task_runs.delete, [run_id]) == 1
    with pytest.raises(NotFound):
        await store.read(task_runs.read, run_id)


@pytest.mark.parametrize("alone", [True, False])
async def test_one_task_run_for_its_keys(store: Database, flow_run_id: UUID, alone: bool) -> None:  # noqa: FBT001
    """A task run is known by its keys, with a flow run and without one."""
    around = None if alone else flow_run_id
    values = {"flow_run_id": around, "task_key": "t", "dynamic_key": "1"}
    made = await store.write(task_runs.insert, values)
    assert made is not None
    assert await store.write(task_runs.insert, values) is None
    found = await store.read(task_runs.find_by_keys, around, "t", "1")
    assert found is not None
    assert found.id == made
    assert await store.write(task_runs.insert, {**values, "dynamic_key": "2"}) is not None


async def test_a_cached_state_answers_until_it_expires(store: Database, flow_run_id: UUID) -> None:
    """The newest state of a key that has not expired is found; other states are not."""
    old, new = state("COMPLETED", minutes(0)), state("COMPLETED", minutes(1))
    run_id = await store.write(making.task_run, flow_run_id, "t", old)
    await store.write(task_runs.append_state, run_id, new)
    assert await store.read(task_runs.find_cached_state, "k") is None
    await store.write(task_runs.store_cache_key, old.id, "k", None)
    assert await store.read(task_runs.find_cached_state, "k") == old
    await store.write(task_runs.store_cache_key, new.id, "k", NOON.replace(year=2999))
    assert await store.read(task_runs.find_cached_state, "k") == new
    await store.write(task_runs.store_cache_key, new.id, "k", NOON.replace(year=2020))
    assert await store.read(task_runs.find_cached_state, "k") == old


def _report(tx: Transaction, flow_run_id: UUID | None, task_run_id: UUID, reported: State) -> Outcome:
    values = {
        "id": task_run_id,
        "flow_run_id": flow_run_id,
        "task_key": "t",
        "dynamic_key": "0",
        "name": reported.name,
        "run_count": 0 if reported.name == "Pending" else 1,
    }
    return task_run_reports.record(tx, values, reported)


async def test_reports_in_any_order_come_to_the_same(store: Database, flow_run_id: UUID) -> None:
    """Whatever comes first or twice: the run ends in the latest state, and the history has each state once."""
    states = [state("PENDING", minutes(0)), state("RUNNING", minutes(1)), state("COMPLETED", minutes(2))]
    for number, order in enumerate(permutations(states)):
        task_run_id = new_id()
        around = None if number else flow_run_id
        fresh = [one.model_copy(update={"id": new_id()}) for one in sorted(order, key=lambda one: one.timestamp)]
        told = [fresh[states.index(one)] for one in order]

        def record(tx: Transaction, told: list[State] = told, run: UUID = task_run_id) -> list[Outcome]:
            return [_report(tx, flow_run_id, run, one) for one in (*told, *told)]

        await store.write(task_runs.delete, [run.id for run in await store.read(task_runs.select)])
        outcomes = await store.write(record)
        assert outcomes[0] is Outcome.MADE
        assert outcomes[3:] == [Outcome.KNOWN] * 3
        run = await store.read(task_runs.get, task_run_id)
        assert (run.state, run.name, run.run_count) == (fresh[2], "Completed", 1)
        assert await store.read(task_run_states.select, task_run_id) == fresh
        assert around is None or number == 0


async def test_reports_that_cannot_be_kept(store: Database) -> None:
    """A report for a flow run that is gone changes nothing and harms nothing."""
    assert await store.write(_report, new_id(), new_id(), state("PENDING")) is Outcome.ORPHANED
    assert await store.read(task_runs.count) == 0


async def test_a_report_under_the_keys_of_another_task_run(store: Database, flow_run_id: UUID) -> None:
    """One task run for a task and dynamic key: a report under another id moves the one that is there."""
    first, second = new_id(), new_id()
    assert await store.write(_report, flow_run_id, first, state("PENDING")) is Outcome.MADE
    later = state("RUNNING", minutes(1))
    assert await store.write(_report, flow_run_id, second, later) is Outcome.MOVED
    assert await store.read(task_runs.count) == 1
    assert (await store.read(task_runs.read, first)).state_name == "Running"


CASES: list[tuple[dict[str, Any], str]] = [
    ({}, "abcd"),
    ({"task_runs": {"id": {"any_": ["$a"]}}}, "a"),
    ({"task_runs": {"name": {"like_": "B"}}}, "b"),
    ({"task_runs": {"name": {"any_": ["a", "b"]}}}, "ab"),
    ({"task_runs": {"tags": {"all_": ["x"]}}}, "a"),
    ({"task_runs": {"tags": {"is_null_": True}}}, "bcd"),
    ({"task_runs": {"state": {"type": {"any_": ["RUNNING"]}}}}, "b"),
    ({"task_runs": {"state": {"name": {"any_": ["Completed"]}}}}, "a"),
    ({"task_runs": {"start_time": {"after_": "2026-06-01T12:01:00Z"}}}, "b"),
    ({"task_runs": {"start_time": {"is_null_": True}}}, "cd"),
    ({"task_runs": {"end_time": {"is_null_": False}}}, "a"),
    ({"task_runs": {"expected_start_time": {"before_": "2026-06-01T12:00:00Z"}}}, "a"),
    ({"task_runs": {"subflow_runs": {"exists_": True}}}, "c"),
    ({"task_runs": {"subflow_runs": {"exists_": False}}}, "abd"),
    ({"task_runs": {"flow_run_id": {}}}, "abc"),
    ({"task_runs": {"flow_run_id": {"is_null_": True}}}, "d"),
    ({"task_runs": {"flow_run_id": {"is_null_": None}}}, "abcd"),
    ({"task_runs": {"flow_run_id": {"any_": ["$run"]}}}, "abc"),
    ({"task_runs": {"operator": "or_", "name": {"any_": ["a"]}, "tags": {"is_null_": True}}}, "abcd"),
    ({"flow_runs": {}}, "abc"),
    ({"flow_runs": {"id": {"any_": ["$run"]}}}, "abc"),
    ({"flow_runs": {"id": {"any_": ["$run"]}}, "flows": {"name": {"any_": ["nope"]}}}, ""),
    ({"flow_runs": {"id": {"any_": []}}}, ""),
    ({"flow_runs": {"id": {"not_any_": ["$run"]}}}, ""),
    ({"flow_runs": {"parent_flow_run_id": {"any_": ["$run"]}}}, ""),
    ({"flow_runs": {"state": {"type": {"any_": ["RUNNING"]}}}}, "abc"),
    ({"flows": {"name": {"any_": ["flow"]}}}, "abc"),
    ({"deployments": {}}, ""),
]


async def test_criteria(store: Database, flow_run_id: UUID) -> None:
    """Each criterion of a task run, and of what it belongs to, finds what it says."""

    def populate(tx: Transaction) -> dict[str, UUID]:
        ids = {"run": flow_run_id}
        ids["a"] = making.task_run(
            tx,
            flow_run_id,
            "a",
            state("COMPLETED"),
            name="a",
            tags=["x"],
            start_time=minutes(0),
            end_time=minutes(1),
            expected_start_time=minutes(0),
        )
        ids["b"] = making.task_run(
            tx, flow_run_id, "b", state("RUNNING"), name="b", start_time=minutes(1), expected_start_time=minutes(1)
        )
        ids["c"] = making.task_run(tx, flow_run_id, "c", name="c")
        ids["d"] = making.task_run(tx, None, "d", name="d")
        making.flow_run(tx, making.flow(tx, "child"), parent_task_run_id=ids["c"])
        return ids

    def find(reader: Reader, query: TaskRunsQuery) -> tuple[str, int]:
        names = sorted(run.name for run in task_runs.select(reader, **criteria_of(query)))
        return "".join(names), task_runs.count(reader, **criteria_of(query))

    known = await store.write(populate)
    for criteria, expected in CASES:
        body = TaskRunsQuery.model_validate(making.named(criteria, known))
        assert await store.read(find, body) == (expected, len(expected)), criteria
    counts = await store.read(task_run_figures.count_by_state)
    assert (counts.COMPLETED, counts.RUNNING, counts.FAILED) == (1, 1, 0)
    ended = await store.read(task_run_figures.count_ended, start=NOON, end=NOON + timedelta(minutes=2), spans=2)
    assert [(span.completed, span.failed) for span in ended] == [(1, 0), (0, 0)]
