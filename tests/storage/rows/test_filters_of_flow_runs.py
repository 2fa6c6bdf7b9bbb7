"""Every criterion of flow runs, alone and together, on both databases."""

from typing import Any
from uuid import UUID

import pytest

from lightwell.contract.queries import FlowRunsQuery
from lightwell.storage import flow_runs
from lightwell.storage.database import Database
from lightwell.storage.filters import criteria_of
from lightwell.storage.transaction import Reader, Transaction
from tests.storage.rows import making
from tests.storage.rows.making import minutes, state

ABSENT = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
async def known(store: Database) -> dict[str, UUID]:
    """Flow runs called a to f, and what is around them, by name."""
    return await store.write(_populate)


def _populate(tx: Transaction) -> dict[str, UUID]:
    ids: dict[str, UUID] = {"big": making.flow(tx, "Big_flow", ("x",)), "small": making.flow(tx, "small flow")}
    ids["pool"], ids["queue"] = making.pool_with_queue(tx, "pool", "default")
    ids["deployment"] = making.deployed(tx, ids["big"], "nightly", tags=["night", "x"], work_queue_id=ids["queue"])
    ids["paused"] = making.deployed(tx, ids["small"], "Weekly", paused=True, work_queue_name="other")
    ids["a"] = making.flow_run(
        tx,
        ids["big"],
        state("COMPLETED", minutes(3)),
        name="a",
        tags=["red", "blue"],
        deployment_id=ids["deployment"],
        work_queue_id=ids["queue"],
        work_queue_name="default",
        expected_start_time=minutes(0),
        start_time=minutes(1),
        end_time=minutes(3),
        flow_version="1",
        created_by={"id": str(ids["deployment"]), "type": "SCHEDULE", "display_value": "nightly"},
    )
    ids["b"] = making.flow_run(
        tx,
        ids["big"],
        state("RUNNING", minutes(5)),
        name="b",
        tags=["red"],
        expected_start_time=minutes(4),
        start_time=minutes(5),
        flow_version="2",
        created_by={"id": None, "type": "AUTOMATION", "display_value": None},
    )
    ids["c"] = making.flow_run(
        tx,
        ids["small"],
        state("SCHEDULED", minutes(0), name="Late"),
        name="c",
        idempotency_key="key-c",
        expected_start_time=minutes(10),
        next_scheduled_start_time=minutes(10),
        deployment_id=ids["paused"],
    )
    ids["d"] = making.flow_run(tx, ids["small"], name="d", tags=["blue", 'quo"te'])
    ids["task"] = making.task_run(tx, ids["b"], "sub", state("RUNNING"), name="sub-0", tags=["t"])
    ids["work"] = making.task_run(tx, ids["a"], "work", state("COMPLETED"), name="work-0", start_time=minutes(2))
    ids["e"] = making.flow_run(
        tx,
        ids["small"],
        state("FAILED"),
        name="E%_child",
        parent_task_run_id=ids["task"],
        expected_start_time=minutes(6),
        start_time=minutes(7),
        end_time=minutes(8),
        idempotency_key="key-e",
    )
    return ids


OWN: list[tuple[dict[str, Any], str]] = [
    ({}, "abcde"),
    ({"id": {}}, "abcde"),
    ({"id": {"any_": []}}, ""),
    ({"id": {"any_": ["$a", "$b", ABSENT]}}, "ab"),
    ({"id": {"not_any_": ["$a"]}}, "bcde"),
    ({"id": {"any_": ["$a", "$b"], "not_any_": ["$a"]}}, "b"),
    ({"id": {"not_any_": []}}, "abcde"),
    ({"name": {"any_": ["a", "c", "zzz"]}}, "ac"),
    ({"name": {"like_": "e%_CH"}}, "e"),
    ({"name": {"like_": "CHILD"}}, "e"),
    ({"name": {"like_": "\\"}}, ""),
    ({"name": {"like_": ""}}, "abcde"),
    ({"tags": {"all_": ["red"]}}, "ab"),
    ({"tags": {"all_": ["red", "blue"]}}, "a"),
    ({"tags": {"all_": ["blue", "blue"]}}, "ad"),
    ({"tags": {"all_": ['quo"te']}}, "d"),
    ({"tags": {"all_": []}}, "abcde"),
    ({"tags": {"any_": ["red", "blue"]}}, "abd"),
    ({"tags": {"any_": []}}, ""),
    ({"tags": {"is_null_": True}}, "ce"),
    ({"tags": {"is_null_": False}}, "abd"),
    ({"tags": {"operator": "or_", "all_": ["red", "blue"], "is_null_": True}}, "ace"),
    ({"deployment_id": {"any_": ["$deployment"]}}, "a"),
    ({"deployment_id": {"is_null_": True}}, "bde"),
    ({"deployment_id": {"is_null_": False}}, "ac"),
    ({"deployment_id": {"operator": "or_", "any_": ["$deployment"], "is_null_": True}}, "abde"),
    ({"work_queue_name": {"any_": ["default"]}}, "a"),
    ({"work_queue_name": {"is_null_": True}}, "bcde"),
    ({"state": {}}, "abcde"),
    ({"state": {"type": {"any_": ["RUNNING", "FAILED"]}}}, "be"),
    ({"state": {"type": {"not_any_": ["RUNNING"]}}}, "ace"),
    ({"state": {"name": {"any_": ["Late"]}}}, "c"),
    ({"state": {"name": {"not_any_": ["Late"]}}}, "abe"),
    ({"state": {"operator": "or_", "type": {"any_": ["RUNNING"]}, "name": {"any_": ["Late"]}}}, "bc"),
    ({"state": {"operator": "or_", "type": {}, "name": {"any_": ["Late"]}}}, "c"),
    ({"state": {"type": {"any_": ["SCHEDULED"]}, "name": {"any_": ["Late"]}}}, "c"),
    ({"flow_version": {"any_": ["1", "3"]}}, "a"),
    ({"start_time": {"before_": "2026-06-01T12:05:00Z"}}, "ab"),
    ({"start_time": {"after_": "2026-06-01T12:07:00Z"}}, "ce"),
    ({"start_time": {"after_": "2026-06-01T14:07:00+02:00", "is_null_": True}}, "c"),
    ({"start_time": {"is_null_": False}}, "abe"),
    ({"end_time": {"before_": "2026-06-01T12:03:00Z"}}, "a"),
    ({"end_time": {"after_": "2026-06-01T12:03:00.000001Z"}}, "e"),
    ({"end_time": {"is_null_": True}}, "bcd"),
    ({"expected_start_time": {"after_": "2026-06-01T12:04:00Z", "before_": "2026-06-01T12:06:00Z"}}, "be"),
    ({"next_scheduled_start_time": {"before_": "2026-06-01T12:10:00Z"}}, "c"),
    ({"next_scheduled_start_time": {"after_": "2026-06-01T12:10:01Z"}}, ""),
    ({"parent_flow_run_id": {"any_": ["$b"]}}, "e"),
    ({"parent_flow_run_id": {"any_": ["$a"]}}, ""),
    ({"parent_task_run_id": {"any_": ["$task"]}}, "e"),
    ({"parent_task_run_id": {"is_null_": True}}, "abcd"),
    ({"parent_task_run_id": {"is_null_": False}}, "e"),
    ({"idempotency_key": {"any_": ["key-c"]}}, "c"),
    ({"idempotency_key": {"not_any_": ["key-c"]}}, "e"),
    ({"created_by": {"type_": ["SCHEDULE", "DEPLOYMENT"]}}, "a"),
    ({"created_by": {"id_": ["$deployment"]}}, "a"),
    ({"created_by": {"is_null_": True}}, "cde"),
    ({"created_by": {"is_null_": False}}, "ab"),
    ({"created_by": {"operator": "or_", "type_": ["AUTOMATION"], "id_": ["$deployment"]}}, "ab"),
    ({"operator": "or_", "name": {"any_": ["a"]}, "state": {"name": {"any_": ["Late"]}}}, "ac"),
    ({"name": {"any_": ["a", "b"]}, "state": {"type": {"any_": ["RUNNING"]}}}, "b"),
]

OTHERS: list[tuple[dict[str, Any], str]] = [
    ({"flows": {}}, "abcde"),
    ({"flows": {"name": {"any_": ["Big_flow"]}}}, "ab"),
    ({"flows": {"name": {"like_": "BIG"}}}, "ab"),
    ({"flows": {"id": {"not_any_": ["$big"]}}}, "cde"),
    ({"flows": {"tags": {"all_": ["x"]}}}, "ab"),
    ({"flows": {"tags": {"is_null_": True}}}, "cde"),
    ({"flows": {"deployment": {"is_null_": True}}}, ""),
    ({"flows": {"deployment": {"is_null_": False}}}, "abcde"),
    ({"deployments": {}}, "ac"),
    ({"deployments": {"name": {"like_": "night"}}}, "a"),
    ({"deployments": {"paused": {"eq_": True}}}, "c"),
    ({"deployments": {"paused": {"eq_": False}}}, "a"),
    ({"deployments": {"tags": {"any_": ["night"]}}}, "a"),
    ({"deployments": {"work_queue_name": {"any_": ["other"]}}}, "c"),
    ({"deployments": {"flow_or_deployment_name": {"like_": "WEEK"}}}, "c"),
    ({"deployments": {"flow_or_deployment_name": {"like_": "big"}}}, "a"),
    ({"deployments": {"concurrency_limit": {"ge_": 1}}}, "ac"),
    ({"deployments": {"id": {"any_": ["$paused"]}}}, "c"),
    ({"work_pools": {}}, "a"),
    ({"work_pools": {"name": {"any_": ["pool"]}}}, "a"),
    ({"work_pools": {"type": {"any_": ["docker"]}}}, ""),
    ({"work_pools": {"id": {"any_": ["$pool"]}}}, "a"),
    ({"work_pool_queues": {"name": {"startswith_": ["DEF"]}}}, "a"),
    ({"work_pool_queues": {"name": {"startswith_": []}}}, "a"),
    ({"work_pool_queues": {"id": {"any_": ["$queue"]}}, "work_pools": {"name": {"any_": ["nope"]}}}, ""),
    ({"task_runs": {}}, "ab"),
    ({"task_runs": {"name": {"like_": "WORK"}}}, "a"),
    ({"task_runs": {"tags": {"all_": ["t"]}}}, "b"),
    ({"task_runs": {"state": {"type": {"any_": ["RUNNING"]}}}}, "b"),
    ({"task_runs": {"subflow_runs": {"exists_": True}}}, "b"),
    ({"task_runs": {"subflow_runs": {"exists_": False}}}, "a"),
    ({"task_runs": {"start_time": {"is_null_": False}}}, "a"),
    ({"task_runs": {"id": {"any_": ["$task"]}}, "flows": {"name": {"any_": ["Big_flow"]}}}, "b"),
    ({"task_runs": {"id": {"any_": ["$task"]}}, "flows": {"name": {"any_": ["small flow"]}}}, ""),
    ({"flow_runs": {"state": {"type": {"any_": ["COMPLETED", "SCHEDULED"]}}}, "deployments": {}}, "ac"),
]


def _found(reader: Reader, query: FlowRunsQuery) -> tuple[str, int]:
    names = sorted(run.name[0].lower() for run in flow_runs.select(reader, **criteria_of(query)))
    return "".join(names), flow_runs.count(reader, **criteria_of(query))


async def test_criteria_of_their_own(store: Database, known: dict[str, UUID]) -> None:
    """Each criterion of a flow run finds what it says, and the count agrees with the list."""
    for criteria, expected in OWN:
        query = FlowRunsQuery.model_validate({"flow_runs": making.named(criteria, known)})
        assert await store.read(_found, query) == (expected, len(expected)), criteria


async def test_criteria_of_what_they_belong_to(store: Database, known: dict[str, UUID]) -> None:
    """Flow runs are found by their flow, deployment, work pool, queue and task runs."""
    for criteria, expected in OTHERS:
        query = FlowRunsQuery.model_validate(making.named(criteria, known))
        assert await store.read(_found, query) == (expected, len(expected)), criteria


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("ID_DESC", "edcba"),
        ("START_TIME_ASC", "dabec"),
        ("START_TIME_DESC", "cebad"),
        ("EXPECTED_START_TIME_ASC", "dabec"),
        ("EXPECTED_START_TIME_DESC", "cebad"),
        ("NAME_ASC", "eabcd"),
        ("NAME_DESC", "dcbae"),
        ("NEXT_SCHEDULED_START_TIME_ASC", "abdec"),
        ("END_TIME_DESC", "eadcb"),
    ],
)
async def test_sorts_are_the_same_on_both_databases(
    store: Database, known: dict[str, UUID], sort: str, expected: str
) -> None:
    """What is absent counts as the smallest, names are sorted by their bytes, and the id settles the rest."""
    assert known
    query = FlowRunsQuery.model_validate({"sort": sort})
    runs = await store.read(flow_runs.select, sort=query.sort)
    assert "".join(run.name[0].lower() for run in runs) == expected
    page = await store.read(flow_runs.select, sort=query.sort, limit=2, offset=1)
    assert "".join(run.name[0].lower() for run in page) == expected[1:3]
