"""Which flow runs.

The start time that is filtered and sorted by is the one that is expected, until there is a real one.
"""

from collections.abc import Callable

from sqlalchemy import literal, select

from lightwell.contract.flow_runs import FlowRunCreatedByFilter, FlowRunFilter, FlowRunParentFlowRunFilter, FlowRunSort
from lightwell.contract.model import Input
from lightwell.contract.states import StateType
from lightwell.storage.filters.criteria import (
    Clause,
    Column,
    Members,
    joined,
    of_column,
    of_members,
    of_parts,
    of_tags,
    of_time,
)
from lightwell.storage.filters.dialects import is_one_of, json_member, unindexed
from lightwell.storage.tables import flow_run, task_run

_parent = task_run.alias("parent_task_run")


def clause(criteria: FlowRunFilter, *, listed: bool = False) -> Clause:
    """The flow runs that a filter object means; `listed` where the first of them are wanted, in an order."""
    return of_members(criteria, _LISTED_MEMBERS if listed else _MEMBERS)


def order(sort: FlowRunSort) -> tuple[Column, ...]:
    """By what flow runs are ordered; the id settles what is equal, and what is absent counts as the smallest."""
    return _ORDER[sort]


def _of_state(column: Column, common: str) -> Callable[[Input], Clause]:
    """A list of runs in the state that most runs are in is found in its order: the state's index leads to them all."""
    looked_up, walked = of_column(column), of_column(unindexed(column))

    def state_clause(criteria: Input) -> Clause:
        return (walked if common in (getattr(criteria, "any_", None) or ()) else looked_up)(criteria)

    return state_clause


def _of_parents(criteria: FlowRunParentFlowRunFilter) -> Clause:
    if criteria.any_ is None:
        return joined(criteria, ())
    parents = select(_parent.c.id).where(is_one_of(_parent.c.flow_run_id, criteria.any_)).correlate(None)
    return flow_run.c.parent_task_run_id.in_(parents)


def _created_by(criteria: FlowRunCreatedByFilter) -> Clause:
    clauses: list[Clause] = []
    if criteria.id_ is not None:
        creator = json_member(flow_run.c.created_by, literal("id"))
        clauses.append(is_one_of(creator, [str(value) for value in criteria.id_]))
    if criteria.type_ is not None:
        clauses.append(is_one_of(json_member(flow_run.c.created_by, literal("type")), criteria.type_))
    if criteria.is_null_ is not None:
        absent = flow_run.c.created_by.is_(None)
        clauses.append(absent if criteria.is_null_ else ~absent)
    return joined(criteria, clauses)


_MEMBERS: Members = {
    "id": of_column(flow_run.c.id),
    "name": of_column(flow_run.c.name),
    "tags": of_tags(flow_run.c.tags),
    "deployment_id": of_column(flow_run.c.deployment_id),
    "work_queue_name": of_column(flow_run.c.work_queue_name),
    "state": of_parts({"type": of_column(flow_run.c.state_type), "name": of_column(flow_run.c.state_name)}),
    "flow_version": of_column(flow_run.c.flow_version),
    "start_time": of_time(flow_run.c.start_time, within=flow_run.c.effective_start_time),
    "end_time": of_column(flow_run.c.end_time),
    "expected_start_time": of_column(flow_run.c.expected_start_time),
    "next_scheduled_start_time": of_column(flow_run.c.next_scheduled_start_time),
    "parent_flow_run_id": _of_parents,
    "parent_task_run_id": of_column(flow_run.c.parent_task_run_id),
    "idempotency_key": of_column(flow_run.c.idempotency_key),
    "created_by": _created_by,
}

_LISTED_MEMBERS: Members = {
    **_MEMBERS,
    "state": of_parts(
        {
            "type": _of_state(flow_run.c.state_type, StateType.COMPLETED),
            "name": _of_state(flow_run.c.state_name, "Completed"),
        }
    ),
}

_UP, _DOWN = flow_run.c.id.asc(), flow_run.c.id.desc()

_ORDER: dict[FlowRunSort, tuple[Column, ...]] = {
    FlowRunSort.ID_DESC: (_DOWN,),
    FlowRunSort.START_TIME_ASC: (flow_run.c.effective_start_time.asc().nulls_first(), _UP),
    FlowRunSort.START_TIME_DESC: (flow_run.c.effective_start_time.desc().nulls_last(), _DOWN),
    FlowRunSort.EXPECTED_START_TIME_ASC: (flow_run.c.expected_start_time.asc().nulls_first(), _UP),
    FlowRunSort.EXPECTED_START_TIME_DESC: (flow_run.c.expected_start_time.desc().nulls_last(), _DOWN),
    FlowRunSort.NAME_ASC: (flow_run.c.name.asc(), _UP),
    FlowRunSort.NAME_DESC: (flow_run.c.name.desc(), _DOWN),
    FlowRunSort.NEXT_SCHEDULED_START_TIME_ASC: (flow_run.c.next_scheduled_start_time.asc().nulls_first(), _UP),
    FlowRunSort.END_TIME_DESC: (flow_run.c.end_time.desc().nulls_last(), _DOWN),
}
