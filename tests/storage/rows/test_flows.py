"""Flows as rows: one for a name, filtered and sorted, on both databases."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from lightwell.contract.flows import Flow, FlowCreate, FlowUpdate
from lightwell.contract.queries import FlowsQuery
from lightwell.errors import NotFound
from lightwell.kit.ids import new_id
from lightwell.storage import deployments, flow_run_figures, flows
from lightwell.storage.database import Database
from lightwell.storage.filters import criteria_of
from lightwell.storage.transaction import Reader, Transaction
from tests.storage.rows import making
from tests.storage.rows.making import minutes, state


async def test_one_flow_for_a_name(store: Database) -> None:
    """Who asks for a flow that is there gets it as it is, even of many who ask at once; names differ by case."""
    asked = FlowCreate(name="ETL", tags=["a"], labels={"x": 1})
    answers = await asyncio.gather(*(store.write(flows.insert, asked) for _ in range(8)))
    assert len({flow.id for flow, _ in answers}) == 1
    assert [is_new for _, is_new in answers].count(True) == 1
    kept = await store.read(flows.find_by_name, "ETL")
    assert kept == answers[0][0]
    assert Flow.model_validate(answers[0][0].model_dump()) == kept
    assert (await store.write(flows.insert, FlowCreate(name="etl")))[1]


async def test_changes(store: Database) -> None:
    """Tags change; a flow that is not there is not found."""
    flow_id = await store.write(making.flow, "f", ("old",))
    await store.write(flows.update, flow_id, FlowUpdate(tags=["new"]))
    assert (await store.read(flows.get, flow_id)).tags == ["new"]
    await store.write(flows.update, flow_id, FlowUpdate())
    assert (await store.read(flows.get, flow_id)).tags == ["new"]
    with pytest.raises(NotFound):
        await store.write(flows.update, new_id(), FlowUpdate(tags=[]))
    with pytest.raises(NotFound):
        await store.read(flows.get, new_id())


CASES: list[tuple[dict[str, Any], str]] = [
    ({}, "Bac"),
    ({"sort": "NAME_DESC"}, "caB"),
    ({"sort": "CREATED_DESC"}, "caB"),
    ({"flows": {"name": {"like_": "b"}}}, "B"),
    ({"flows": {"id": {"any_": ["$a"]}}}, "a"),
    ({"flows": {"tags": {"all_": ["x"]}}}, "a"),
    ({"flows": {"tags": {"is_null_": True}}}, "Bc"),
    ({"flows": {"deployment": {"is_null_": True}}}, "ac"),
    ({"flows": {"deployment": {"is_null_": False}}}, "B"),
    ({"flows": {"deployment": {}}}, "Bac"),
    ({"flows": {"operator": "or_", "name": {"any_": ["c"]}, "tags": {"all_": ["x"]}}}, "ac"),
    ({"deployments": {}}, "B"),
    ({"deployments": {"name": {"any_": ["nope"]}}}, ""),
    ({"work_pools": {"name": {"any_": ["pool"]}}}, "B"),
    ({"work_pools": {"name": {"any_": ["nope"]}}}, ""),
    ({"flow_runs": {}}, "a"),
    ({"flow_runs": {"state": {"type": {"any_": ["FAILED"]}}}}, ""),
    ({"task_runs": {"name": {"any_": ["t"]}}}, "a"),
    ({"flow_runs": {"name": {"any_": ["r"]}}, "task_runs": {"name": {"any_": ["t"]}}}, "a"),
    ({"flow_runs": {"name": {"any_": ["s"]}}, "task_runs": {"name": {"any_": ["t"]}}}, ""),
]


def _populate(tx: Transaction) -> dict[str, UUID]:
    ids = {"B": making.flow(tx, "B"), "a": making.flow(tx, "a", ("x",)), "c": making.flow(tx, "c")}
    _, queue = making.pool_with_queue(tx, "pool", "default")
    making.deployed(tx, ids["B"], "d", work_queue_id=queue)
    run = making.flow_run(tx, ids["a"], state("SCHEDULED"), name="r", next_scheduled_start_time=minutes(2))
    ids["next"] = making.flow_run(tx, ids["a"], state("SCHEDULED"), name="s", next_scheduled_start_time=minutes(1))
    making.task_run(tx, run, "t", name="t")
    return ids


def _found(reader: Reader, query: FlowsQuery) -> tuple[str, int]:
    found = flows.select(reader, sort=query.sort, **criteria_of(query))
    return "".join(flow.name for flow in found), flows.count(reader, **criteria_of(query))


async def test_criteria_and_sorts(store: Database) -> None:
    """Each criterion of a flow, and of what belongs to it, finds what it says."""
    known = await store.write(_populate)
    for body, expected in CASES:
        query = FlowsQuery.model_validate(making.named(body, known))
        assert await store.read(_found, query) == (expected, len(expected)), body


async def test_what_pages_of_flows_tell(store: Database) -> None:
    """The next run of each flow, and how many deployments it has."""
    known = await store.write(_populate)
    asked = [known["a"], known["B"]]
    due = await store.read(flow_run_figures.next_by_flow, asked)
    first = due[known["a"]]
    assert first is not None
    assert first.id == known["next"]
    assert due[known["B"]] is None
    assert await store.read(deployments.count_by_flow, asked) == {known["a"]: 0, known["B"]: 1}
