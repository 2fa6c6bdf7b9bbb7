"""Rows of task runs, each with its current state.

What rules and other verbs work on is a `TaskRunRecord`, what is answered a `TaskRun`; both come from one statement.
How reports of clients become rows is in `task_run_reports.py`, what is counted over many in `task_run_figures.py`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Unpack
from uuid import UUID

from pydantic import BaseModel, TypeAdapter
from sqlalchemy import ColumnElement, bindparam, func, or_
from sqlalchemy import delete as sql_delete
from sqlalchemy import select as sql_select
from sqlalchemy import update as sql_update

from lightwell.contract.policies import TaskRunPolicy
from lightwell.contract.states import State
from lightwell.contract.task_runs import TaskInput, TaskRun, TaskRunSort, TaskRunSummary
from lightwell.contract.ui import UITaskRun
from lightwell.errors import NotFound
from lightwell.kit.ids import new_id
from lightwell.kit.slugs import new_slug
from lightwell.storage.columns import Moment
from lightwell.storage.conflicts import insert_if_absent
from lightwell.storage.estimates import run_time, start_delta
from lightwell.storage.filters import Criteria
from lightwell.storage.filters.related import of_task_runs
from lightwell.storage.filters.task_runs import order
from lightwell.storage.prepared import Prepared
from lightwell.storage.states import STATE_TYPES, copied_values, insertion, joined_columns, state_of, state_values
from lightwell.storage.tables import flow_run, task_run, task_run_state
from lightwell.storage.transaction import Reader, Transaction


class TaskRunRecord(NamedTuple):
    """A task run as it is stored, and its current state; JSON columns as plain values."""

    id: UUID
    created: datetime
    updated: datetime
    name: str
    flow_run_id: UUID | None
    task_key: str
    dynamic_key: str
    cache_key: str | None
    cache_expiration: datetime | None
    task_version: str | None
    empirical_policy: dict[str, Any]
    tags: list[str]
    labels: dict[str, Any] | None
    state_id: UUID | None
    task_inputs: dict[str, Any]
    state_type: str | None
    state_name: str | None
    state_timestamp: datetime | None
    run_count: int
    flow_run_run_count: int
    expected_start_time: datetime | None
    next_scheduled_start_time: datetime | None
    start_time: datetime | None
    end_time: datetime | None
    total_run_time: timedelta
    state: State | None


_COLUMNS = [task_run.c[name] for name in TaskRunRecord._fields[:-1]]
_state = task_run_state.alias("current_state")
_inputs = TypeAdapter(dict[str, list[TaskInput]])

_RUNS = sql_select(*_COLUMNS, *joined_columns(_state)).select_from(
    task_run.outerjoin(_state, _state.c.id == task_run.c.state_id)
)
_BY_ID = _RUNS.where(task_run.c.id == bindparam("task_run_id"))
_BY_ID_LOCKED = Prepared(_BY_ID.with_for_update(of=task_run))
_UNCLAIMED = (
    _RUNS.where(task_run.c.id.in_(bindparam("task_run_ids", expanding=True)))
    .order_by(task_run.c.id)
    .with_for_update(of=task_run, skip_locked=True)
)
_KEYS = (task_run.c.task_key == bindparam("task_key"), task_run.c.dynamic_key == bindparam("dynamic_key"))
_BY_KEYS = _RUNS.where(task_run.c.flow_run_id == bindparam("flow_run_id"), *_KEYS)
_BY_KEYS_ALONE = _RUNS.where(task_run.c.flow_run_id.is_(None), *_KEYS)
_OF_FLOW_RUN = _RUNS.where(task_run.c.flow_run_id == bindparam("flow_run_id")).order_by(task_run.c.id)
_FLOW_RUN_NAME = sql_select(flow_run.c.name).where(flow_run.c.id == bindparam("flow_run_id"))
_INSERT = Prepared(insert_if_absent(task_run))
_INSERT_STATE = Prepared(insertion(task_run_state))
_UPDATE = sql_update(task_run).where(task_run.c.id == bindparam("task_run_id"))
_MOVE = Prepared(_UPDATE)
_DELETE = sql_delete(task_run).where(task_run.c.id.in_(bindparam("task_run_ids", expanding=True)))
_STORE_CACHE_KEY = sql_update(task_run_state).where(task_run_state.c.id == bindparam("state_id"))
_CACHED = (
    sql_select(
        task_run_state.c.id,
        task_run_state.c.type,
        task_run_state.c.name,
        task_run_state.c.timestamp,
        *joined_columns(task_run_state),
    )
    .where(
        task_run_state.c.cache_key == bindparam("cache_key"),
        or_(
            task_run_state.c.cache_expiration.is_(None),
            task_run_state.c.cache_expiration > bindparam("now", type_=Moment()),
        ),
    )
    .order_by(task_run_state.c.timestamp.desc())
    .limit(1)
)

_DEFAULTS: Mapping[str, Any] = {
    **{column.name: None for column in task_run.columns},
    "empirical_policy": {},
    "tags": [],
    "task_inputs": {},
    "run_count": 0,
    "flow_run_run_count": 0,
    "total_run_time": timedelta(0),
}


def find(reader: Reader, task_run_id: UUID, *, lock: bool = False) -> TaskRunRecord | None:
    """A task run by its id, or None; with `lock` nobody else changes it before this transaction ends."""
    wanted = {"task_run_id": task_run_id}
    row = reader.find(_BY_ID_LOCKED, wanted) if lock else reader.execute(_BY_ID, wanted).one_or_none()
    return None if row is None else _record(row)


def get(reader: Reader, task_run_id: UUID, *, lock: bool = False) -> TaskRunRecord:
    """The same as `find`; raises NotFound."""
    found = find(reader, task_run_id, lock=lock)
    if found is None:
        raise NotFound("task_run", f"Task run with id {task_run_id} not found")
    return found


def claim(
    tx: Transaction, task_run_ids: Sequence[UUID], *conditions: ColumnElement[bool], **values: Any
) -> list[TaskRunRecord]:
    """Those of these task runs that nobody else is changing and that meet all conditions, locked.

    `values` are those of the conditions' parameters. What another transaction holds is left out, not waited for.
    """
    statement = _UNCLAIMED.where(*conditions)
    return [_record(row) for row in tx.execute(statement, {"task_run_ids": list(task_run_ids), **values})]


def find_by_keys(reader: Reader, flow_run_id: UUID | None, task_key: str, dynamic_key: str) -> TaskRunRecord | None:
    """The task run of a flow run, or of none, that has these keys; or None."""
    keys = {"task_key": task_key, "dynamic_key": dynamic_key}
    if flow_run_id is None:
        row = reader.execute(_BY_KEYS_ALONE, keys).one_or_none()
    else:
        row = reader.execute(_BY_KEYS, {**keys, "flow_run_id": flow_run_id}).one_or_none()
    return None if row is None else _record(row)


def find_cached_state(reader: Reader, cache_key: str) -> State | None:
    """The newest state that was stored under the key and has not expired, or None."""
    row = reader.execute(_CACHED, {"cache_key": cache_key, "now": reader.now}).one_or_none()
    return None if row is None else state_of(*row)


def read(reader: Reader, task_run_id: UUID) -> TaskRun:
    """A task run as it is answered; raises NotFound."""
    return response(_read(reader, task_run_id), reader.now)


def read_with_flow_run_name(reader: Reader, task_run_id: UUID) -> UITaskRun:
    """A task run with the name of its flow run; raises NotFound."""
    run = _read(reader, task_run_id)
    name = None
    if run.flow_run_id is not None:
        name = reader.execute(_FLOW_RUN_NAME, {"flow_run_id": run.flow_run_id}).scalar_one_or_none()
    return UITaskRun.trusted({**_members(run, reader.now), "flow_run_name": name})


def select(
    reader: Reader,
    *,
    sort: TaskRunSort = TaskRunSort.ID_DESC,
    limit: int | None = None,
    offset: int = 0,
    **criteria: Unpack[Criteria],
) -> list[TaskRun]:
    """The task runs that meet all criteria, in order; all of them where there is no limit."""
    clauses, sorting = of_task_runs(criteria), order(sort)
    if clauses and limit is not None:
        # Sort ids alone, then read the page: else all that match would be joined and sorted with all their columns.
        page = sql_select(task_run.c.id).where(*clauses).order_by(*sorting).limit(limit).offset(offset).correlate(None)
        statement = _RUNS.where(task_run.c.id.in_(page)).order_by(*sorting)
    else:
        statement = _RUNS.where(*clauses).order_by(*sorting).limit(limit).offset(offset)
    return [response(_record(row), reader.now) for row in reader.execute(statement)]


def select_of_flow_run(reader: Reader, flow_run_id: UUID) -> list[TaskRun]:
    """All task runs of a flow run, in the order of their ids."""
    rows = reader.execute(_OF_FLOW_RUN, {"flow_run_id": flow_run_id})
    return [response(_record(row), reader.now) for row in rows]


def count(reader: Reader, **criteria: Unpack[Criteria]) -> int:
    """How many task runs meet all criteria."""
    statement = sql_select(func.count()).select_from(task_run).where(*of_task_runs(criteria))
    return int(reader.execute(statement).scalar_one())


def insert(tx: Transaction, values: Mapping[str, Any], state: State | None = None) -> UUID | None:
    """Insert a task run, in a state if one is given; its id, or None if there is one of its id or of its keys.

    `values` are columns by name, at least `task_key` and `dynamic_key`; what is not there gets its default. Raises
    Conflict when the flow run does not exist.
    """
    row = {**_DEFAULTS, "created": tx.now, "updated": tx.now, **values}
    row["id"] = row["id"] or new_id()
    row["name"] = row["name"] or new_slug()
    if state is not None:
        row.update(copied_values(state))
    if tx.change(_INSERT, row) == 0:
        return None
    task_run_id: UUID = row["id"]
    if state is not None:
        tx.change(_INSERT_STATE, state_values("task_run_id", task_run_id, state))
    return task_run_id


def append_state(tx: Transaction, task_run_id: UUID, state: State, changes: Mapping[str, Any] | None = None) -> None:
    """Give the task run a new current state, and change its other columns with it; the task run exists."""
    tx.change(_INSERT_STATE, state_values("task_run_id", task_run_id, state))
    tx.change(_MOVE, {**(changes or {}), **copied_values(state), "updated": tx.now, "task_run_id": task_run_id})


def store_cache_key(tx: Transaction, state_id: UUID, cache_key: str, expiration: datetime | None) -> None:
    """Let a state answer later task runs of the same cache key, until it expires (None: for ever)."""
    tx.execute(_STORE_CACHE_KEY, {"state_id": state_id, "cache_key": cache_key, "cache_expiration": expiration})


def update(tx: Transaction, task_run_id: UUID, changes: BaseModel | Mapping[str, Any]) -> None:
    """Change columns: those of a mapping, or the members of a model that were sent; raises NotFound."""
    values = changes.model_dump(include=changes.model_fields_set) if isinstance(changes, BaseModel) else changes
    if tx.execute(_UPDATE, {**values, "updated": tx.now, "task_run_id": task_run_id}).rowcount == 0:
        raise NotFound("task_run")


def delete(tx: Transaction, task_run_ids: Sequence[UUID]) -> int:
    """Delete task runs with their states; a subflow that one stood for stays. How many there were."""
    return tx.execute(_DELETE, {"task_run_ids": list(task_run_ids)}).rowcount


def response(run: TaskRunRecord, now: datetime) -> TaskRun:
    """A task run as it is answered at `now`."""
    return TaskRun.trusted(_members(run, now))


def summary(run: TaskRun) -> TaskRunSummary:
    """A task run as pages list it."""
    return TaskRunSummary.trusted({name: getattr(run, name) for name in TaskRunSummary.model_fields})


def _read(reader: Reader, task_run_id: UUID) -> TaskRunRecord:
    found = find(reader, task_run_id)
    if found is None:
        raise NotFound("task_run", detail="Task not found")
    return found


def _members(run: TaskRunRecord, now: datetime) -> dict[str, Any]:
    members = run._asdict()
    kind = run.state_type
    state = members.pop("state")
    timestamp = members.pop("state_timestamp")
    members["empirical_policy"] = TaskRunPolicy.model_validate(run.empirical_policy)
    members["task_inputs"] = _inputs.validate_python(run.task_inputs) if run.task_inputs else {}
    members["state_type"] = None if kind is None else STATE_TYPES[kind]
    members["estimated_run_time"] = run_time(kind, timestamp, run.total_run_time, now)
    members["estimated_start_time_delta"] = start_delta(kind, run.start_time, run.expected_start_time, now)
    members["state"] = state
    return members


def _record(row: Sequence[Any]) -> TaskRunRecord:
    *columns, message, details, data = row
    state_id, kind, name, timestamp = columns[13], columns[15], columns[16], columns[17]
    state = None if state_id is None else state_of(state_id, kind, name, timestamp, message, details, data)
    return TaskRunRecord._make((*columns, state))
