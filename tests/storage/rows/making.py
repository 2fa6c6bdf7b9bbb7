"""Rows to try verbs with."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from lightwell.contract.flows import FlowCreate
from lightwell.contract.states import State, StateDetails, StateType
from lightwell.kit.ids import new_id
from lightwell.storage import flow_runs, flows, task_runs
from lightwell.storage.tables import deployment, work_pool, work_queue
from lightwell.storage.transaction import Transaction

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def minutes(number: float) -> datetime:
    """So many minutes after noon."""
    return NOON + timedelta(minutes=number)


def state(kind: str, at: datetime = NOON, name: str | None = None, **details: Any) -> State:
    """A state of this type."""
    return State(
        id=new_id(),
        type=StateType(kind),
        name=name or kind.capitalize(),
        timestamp=at,
        state_details=StateDetails(**details),
    )


def flow(tx: Transaction, name: str = "flow", tags: tuple[str, ...] = ()) -> UUID:
    """A flow; its id."""
    return flows.insert(tx, FlowCreate(name=name, tags=list(tags)))[0].id


def flow_run(tx: Transaction, /, flow_id: UUID, current: State | None = None, **values: Any) -> UUID:
    """A run of a flow; its id."""
    made = flow_runs.insert(tx, {"flow_id": flow_id, **values}, current)
    assert made is not None
    return made


def task_run(
    tx: Transaction, /, flow_run_id: UUID | None, key: str, current: State | None = None, **values: Any
) -> UUID:
    """A task run; its id."""
    made = task_runs.insert(tx, {"flow_run_id": flow_run_id, "task_key": key, "dynamic_key": "0", **values}, current)
    assert made is not None
    return made


def pool_with_queue(tx: Transaction, pool: str, queue: str) -> tuple[UUID, UUID]:
    """A work pool and a queue of it; their ids."""
    pool_id, queue_id = new_id(), new_id()
    moments = {"created": tx.now, "updated": tx.now}
    tx.execute(
        work_pool.insert(),
        {
            **moments,
            "id": pool_id,
            "name": pool,
            "type": "process",
            "base_job_template": {},
            "is_paused": False,
            "status": "NOT_READY",
            "storage_configuration": {},
            "default_queue_id": queue_id,
        },
    )
    tx.execute(
        work_queue.insert(),
        {
            **moments,
            "id": queue_id,
            "name": queue,
            "work_pool_id": pool_id,
            "description": "",
            "is_paused": False,
            "priority": 1,
            "status": "NOT_READY",
        },
    )
    return pool_id, queue_id


def deployed(tx: Transaction, /, flow_id: UUID, name: str, **values: Any) -> UUID:
    """A deployment of a flow; its id."""
    row: Mapping[str, Any] = {
        "id": new_id(),
        "created": tx.now,
        "updated": tx.now,
        "name": name,
        "flow_id": flow_id,
        "paused": False,
        "status": "NOT_READY",
        "tags": [],
        "parameters": {},
        "enforce_parameter_schema": True,
        "job_variables": {},
        **values,
    }
    tx.execute(deployment.insert(), row)
    made: UUID = row["id"]
    return made


def named(value: Any, known: Mapping[str, UUID]) -> Any:
    """A request's body in which `$name` stands for the id of what is known by that name."""
    if isinstance(value, dict):
        return {name: named(member, known) for name, member in value.items()}
    if isinstance(value, list):
        return [named(member, known) for member in value]
    return str(known[value[1:]]) if isinstance(value, str) and value.startswith("$") else value
