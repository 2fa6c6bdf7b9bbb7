"""Rows of flow runs, each with its current state.

What rules and other verbs work on is a `FlowRunRecord`, what is answered a `FlowRunResponse`; one statement reads both.
What is counted over many runs is in `flow_run_figures.py`, what several kinds of run share in `states.py`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Unpack
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import ColumnElement, bindparam, func
from sqlalchemy import delete as sql_delete
from sqlalchemy import select as sql_select
from sqlalchemy import update as sql_update

from lightwell.contract.flow_runs import CreatedBy, FlowRunResponse, FlowRunSort
from lightwell.contract.flows import Flow
from lightwell.contract.policies import FlowRunPolicy
from lightwell.contract.states import State
from lightwell.errors import NotFound
from lightwell.kit.ids import new_id
from lightwell.kit.slugs import new_slug
from lightwell.storage.columns import Moment
from lightwell.storage.conflicts import insert_if_absent
from lightwell.storage.estimates import run_time, start_delta
from lightwell.storage.filters import Criteria
from lightwell.storage.filters.flow_runs import order
from lightwell.storage.filters.related import narrowed, of_flow_runs
from lightwell.storage.prepared import Prepared
from lightwell.storage.states import (
    STATE_TYPES,
    as_stored,
    copied_values,
    insertion,
    joined_columns,
    state_of,
    state_values,
)
from lightwell.storage.tables import deleted_flow_run, flow, flow_run, flow_run_state, work_pool, work_queue
from lightwell.storage.transaction import Reader, Transaction


class FlowRunRecord(NamedTuple):
    """A flow run as it is stored, and its current state; JSON columns as plain values."""

    id: UUID
    created: datetime
    updated: datetime
    name: str
    flow_id: UUID
    state_id: UUID | None
    deployment_id: UUID | None
    deployment_version: str | None
    work_queue_id: UUID | None
    work_queue_name: str | None
    flow_version: str | None
    parameters: dict[str, Any]
    idempotency_key: str | None
    context: dict[str, Any]
    empirical_policy: dict[str, Any]
    tags: list[str]
    labels: dict[str, Any] | None
    parent_task_run_id: UUID | None
    state_type: str | None
    state_name: str | None
    state_timestamp: datetime | None
    run_count: int
    expected_start_time: datetime | None
    next_scheduled_start_time: datetime | None
    start_time: datetime | None
    end_time: datetime | None
    total_run_time: timedelta
    auto_scheduled: bool
    infrastructure_document_id: UUID | None
    infrastructure_pid: str | None
    created_by: dict[str, Any] | None
    job_variables: dict[str, Any] | None
    work_pool_id: UUID | None
    work_pool_name: str | None
    flow_name: str
    flow_tags: list[str]
    state: State | None


_COLUMNS = [flow_run.c[name] for name in FlowRunRecord._fields[:-5]]
_queue = work_queue.alias("own_queue")
_pool = work_pool.alias("own_pool")
_flow = flow.alias("own_flow")
_state = flow_run_state.alias("current_state")

_RUNS = sql_select(
    *_COLUMNS, _pool.c.id, _pool.c.name, _flow.c.name, _flow.c.tags, *joined_columns(_state)
).select_from(
    # An outer join, though each run has a flow: SQLite must not think of beginning with the flows.
    flow_run.outerjoin(_flow, _flow.c.id == flow_run.c.flow_id)
    .outerjoin(_state, _state.c.id == flow_run.c.state_id)
    .outerjoin(_queue, _queue.c.id == flow_run.c.work_queue_id)
    .outerjoin(_pool, _pool.c.id == _queue.c.work_pool_id)
)
_BY_ID = _RUNS.where(flow_run.c.id == bindparam("flow_run_id"))
_BY_ID_LOCKED = Prepared(_BY_ID.with_for_update(of=flow_run))
_UNCLAIMED = (
    _RUNS.where(flow_run.c.id.in_(bindparam("flow_run_ids", expanding=True)))
    .order_by(flow_run.c.id)
    .with_for_update(of=flow_run, skip_locked=True)
)
_BY_KEY = _RUNS.where(
    flow_run.c.flow_id == bindparam("flow_id"), flow_run.c.idempotency_key == bindparam("idempotency_key")
)
_INSERT = Prepared(insert_if_absent(flow_run))
_INSERT_STATE = Prepared(insertion(flow_run_state))
_UPDATE = sql_update(flow_run).where(flow_run.c.id == bindparam("flow_run_id"))
_MOVE = Prepared(_UPDATE)
_MARK_LOGS = {
    dialect: statement.from_select(
        ["flow_run_id", "deleted"],
        sql_select(flow_run.c.id, bindparam("now", type_=Moment())).where(
            flow_run.c.id.in_(bindparam("flow_run_ids", expanding=True))
        ),
    )
    for dialect, statement in insert_if_absent(deleted_flow_run).items()
}
_DELETE = sql_delete(flow_run).where(flow_run.c.id.in_(bindparam("flow_run_ids", expanding=True)))

_DEFAULTS: Mapping[str, Any] = {
    **{column.name: None for column in flow_run.columns if column.computed is None},
    "parameters": {},
    "context": {},
    "empirical_policy": {},
    "tags": [],
    "run_count": 0,
    "total_run_time": timedelta(0),
    "auto_scheduled": False,
    "job_variables": {},
}
_DEFAULT_POLICY = dict(FlowRunPolicy().__dict__)


def find(reader: Reader, flow_run_id: UUID, *, lock: bool = False) -> FlowRunRecord | None:
    """A flow run by its id, or None; with `lock` nobody else changes it before this transaction ends."""
    wanted = {"flow_run_id": flow_run_id}
    row = reader.find(_BY_ID_LOCKED, wanted) if lock else reader.execute(_BY_ID, wanted).one_or_none()
    return None if row is None else _record(row)


def get(reader: Reader, flow_run_id: UUID, *, lock: bool = False) -> FlowRunRecord:
    """The same as `find`; raises NotFound."""
    found = find(reader, flow_run_id, lock=lock)
    if found is None:
        raise NotFound("flow_run", f"Flow run with id {flow_run_id} not found")
    return found


def claim(
    tx: Transaction, flow_run_ids: Sequence[UUID], *conditions: ColumnElement[bool], **values: Any
) -> list[FlowRunRecord]:
    """Those of these runs that nobody else is changing and that meet all conditions, locked.

    `values` are those of the conditions' parameters. What another transaction holds is left out, not waited for.
    """
    statement = _UNCLAIMED.where(*conditions)
    return [_record(row) for row in tx.execute(statement, {"flow_run_ids": list(flow_run_ids), **values})]


def find_by_key(reader: Reader, flow_id: UUID, idempotency_key: str) -> FlowRunRecord | None:
    """The run of a flow that was made with this idempotency key, or None."""
    row = reader.execute(_BY_KEY, {"flow_id": flow_id, "idempotency_key": idempotency_key}).one_or_none()
    return None if row is None else _record(row)


def read(reader: Reader, flow_run_id: UUID) -> FlowRunResponse:
    """A flow run as it is answered; raises NotFound."""
    found = find(reader, flow_run_id)
    if found is None:
        raise NotFound("flow_run")
    return response(found, reader.now)


def select(
    reader: Reader,
    *,
    sort: FlowRunSort = FlowRunSort.ID_DESC,
    limit: int | None = None,
    offset: int = 0,
    **criteria: Unpack[Criteria],
) -> list[FlowRunResponse]:
    """The flow runs that meet all criteria, in order; all of them where there is no limit."""
    clauses, sorting = of_flow_runs(narrowed(reader, criteria), listed=True), order(sort)
    if clauses and limit is not None:
        # Sort ids alone, then read the page: else all that match would be joined and sorted with all their columns.
        page = sql_select(flow_run.c.id).where(*clauses).order_by(*sorting).limit(limit).offset(offset).correlate(None)
        statement = _RUNS.where(flow_run.c.id.in_(page)).order_by(*sorting)
    else:
        statement = _RUNS.where(*clauses).order_by(*sorting).limit(limit).offset(offset)
    return [response(_record(row), reader.now) for row in reader.execute(statement)]


def select_ids(
    reader: Reader, *, sort: FlowRunSort = FlowRunSort.ID_DESC, limit: int | None = None, **criteria: Unpack[Criteria]
) -> list[UUID]:
    """The ids of the flow runs that meet all criteria, in order."""
    statement = sql_select(flow_run.c.id).where(*of_flow_runs(criteria)).order_by(*order(sort)).limit(limit)
    return list(reader.execute(statement).scalars())


def count(reader: Reader, **criteria: Unpack[Criteria]) -> int:
    """How many flow runs meet all criteria."""
    statement = sql_select(func.count()).select_from(flow_run).where(*of_flow_runs(criteria))
    return int(reader.execute(statement).scalar_one())


def insert(tx: Transaction, values: Mapping[str, Any], state: State | None = None) -> UUID | None:
    """Insert a run, in a state if one is given; its id, or None if its flow has a run of its idempotency key already.

    `values` are columns by name, at least `flow_id`; what is not there gets its default. Raises Conflict when the flow,
    or another row that it refers to, does not exist.
    """
    row = _insert(tx, values, state)
    if row is None:
        return None
    flow_run_id: UUID = row["id"]
    return flow_run_id


def begin(
    tx: Transaction, values: Mapping[str, Any], state: State, flow: Flow, trace_id: str | None = None
) -> FlowRunRecord | None:
    """The same for a run of a flow that is known, in its first state: the run as it is stored, without reading it."""
    row = _insert(tx, values, state, trace_id)
    if row is None:
        return None
    if row["work_queue_id"] is not None:
        return get(tx, row["id"])
    return FlowRunRecord(
        **row,
        work_pool_id=None,
        work_pool_name=None,
        flow_name=flow.name,
        flow_tags=flow.tags,
        state=as_stored(state),
    )


def _insert(
    tx: Transaction, values: Mapping[str, Any], state: State | None, trace_id: str | None = None
) -> dict[str, Any] | None:
    row = {**_DEFAULTS, "created": tx.now, "updated": tx.now, **values}
    row["id"] = row["id"] or new_id()
    row["name"] = row["name"] or new_slug()
    row["job_variables"] = row["job_variables"] or {}
    if state is not None:
        row.update(copied_values(state))
    if tx.change(_INSERT, row) == 0:
        return None
    if state is not None:
        _insert_state(tx, row["id"], state, trace_id)
    return row


def append_state(
    tx: Transaction,
    flow_run_id: UUID,
    state: State,
    changes: Mapping[str, Any] | None = None,
    trace_id: str | None = None,
) -> None:
    """Give the run a new current state, and change its other columns with it; the run exists.

    `trace_id` is that of whoever brings it there.
    """
    _insert_state(tx, flow_run_id, state, trace_id)
    tx.change(_MOVE, {**(changes or {}), **copied_values(state), "updated": tx.now, "flow_run_id": flow_run_id})


def _insert_state(tx: Transaction, flow_run_id: UUID, state: State, trace_id: str | None) -> None:
    values = state_values("flow_run_id", flow_run_id, state)
    values["trace_id"] = trace_id
    tx.change(_INSERT_STATE, values)


def update(tx: Transaction, flow_run_id: UUID, changes: BaseModel | Mapping[str, Any]) -> None:
    """Change columns: those of a mapping, or the members of a model that were sent; raises NotFound."""
    values = changes.model_dump(include=changes.model_fields_set) if isinstance(changes, BaseModel) else changes
    if tx.execute(_UPDATE, {**values, "updated": tx.now, "flow_run_id": flow_run_id}).rowcount == 0:
        raise NotFound("flow_run")


def delete(tx: Transaction, flow_run_ids: Sequence[UUID]) -> int:
    """Delete flow runs with all that belongs to them, and leave what they logged to the background; how many."""
    tx.execute(_MARK_LOGS[tx.dialect], {"flow_run_ids": list(flow_run_ids), "now": tx.now})
    return tx.execute(_DELETE, {"flow_run_ids": list(flow_run_ids)}).rowcount


def response(run: FlowRunRecord, now: datetime) -> FlowRunResponse:
    """A flow run as it is answered at `now`."""
    members = run._asdict()
    state = members.pop("state")
    timestamp = members.pop("state_timestamp")
    policy, author, kind = run.empirical_policy, run.created_by, run.state_type
    pool_id, pool_name, variables = (members.pop(name) for name in ("work_pool_id", "work_pool_name", "job_variables"))
    auto_scheduled = members.pop("auto_scheduled")
    document_id, pid = members.pop("infrastructure_document_id"), members.pop("infrastructure_pid")
    del members["created_by"], members["flow_name"], members["flow_tags"]
    members["empirical_policy"] = (
        FlowRunPolicy.model_validate(policy)
        if policy
        else FlowRunPolicy.trusted({**_DEFAULT_POLICY, "pause_keys": set()})
    )
    members["labels"] = run.labels or {}
    members["state_type"] = None if kind is None else STATE_TYPES[kind]
    members["estimated_run_time"] = run_time(kind, timestamp, run.total_run_time, now)
    members["estimated_start_time_delta"] = start_delta(kind, run.start_time, run.expected_start_time, now)
    members["auto_scheduled"] = auto_scheduled
    members["infrastructure_document_id"], members["infrastructure_pid"] = document_id, pid
    members["created_by"] = None if author is None else CreatedBy.model_validate(author)
    members["work_pool_id"], members["work_pool_name"] = pool_id, pool_name
    members["state"], members["job_variables"] = state, variables
    return FlowRunResponse.trusted(members)


def _record(row: Sequence[Any]) -> FlowRunRecord:
    *columns, message, details, data = row
    state_id, kind, name, timestamp = columns[5], columns[18], columns[19], columns[20]
    state = None if state_id is None else state_of(state_id, kind, name, timestamp, message, details, data)
    return FlowRunRecord._make((*columns, state))
