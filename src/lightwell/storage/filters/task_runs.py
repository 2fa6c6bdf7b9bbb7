"""Which task runs."""

from sqlalchemy import exists

from lightwell.contract.task_runs import TaskRunFilter, TaskRunFlowRunFilter, TaskRunSort, TaskRunSubflowFilter
from lightwell.storage.filters.criteria import Clause, Column, Members, joined, of_column, of_members, of_parts, of_tags
from lightwell.storage.filters.dialects import is_one_of
from lightwell.storage.tables import flow_run, task_run

_subflow_run = flow_run.alias("subflow_run")


def clause(criteria: TaskRunFilter) -> Clause:
    """The task runs that a filter object means."""
    return of_members(criteria, _MEMBERS)


def order(sort: TaskRunSort) -> tuple[Column, ...]:
    """By what task runs are ordered; the id settles what is equal, and what is absent counts as the smallest."""
    return _ORDER[sort]


def _of_flow_runs(criteria: TaskRunFlowRunFilter) -> Clause:
    if criteria.is_null_:
        return task_run.c.flow_run_id.is_(None)
    if criteria.any_ is not None:
        return is_one_of(task_run.c.flow_run_id, criteria.any_)
    return joined(criteria, ()) if criteria.is_null_ is None else task_run.c.flow_run_id.is_not(None)


def _for_subflows(criteria: TaskRunSubflowFilter) -> Clause:
    if criteria.exists_ is None:
        return joined(criteria, ())
    stands_for_one = (
        exists().select_from(_subflow_run).where(_subflow_run.c.parent_task_run_id == task_run.c.id).correlate(task_run)
    )
    return stands_for_one if criteria.exists_ else ~stands_for_one


_MEMBERS: Members = {
    "id": of_column(task_run.c.id),
    "name": of_column(task_run.c.name),
    "tags": of_tags(task_run.c.tags),
    "state": of_parts({"type": of_column(task_run.c.state_type), "name": of_column(task_run.c.state_name)}),
    "start_time": of_column(task_run.c.start_time),
    "end_time": of_column(task_run.c.end_time),
    "expected_start_time": of_column(task_run.c.expected_start_time),
    "subflow_runs": _for_subflows,
    "flow_run_id": _of_flow_runs,
}

_UP, _DOWN = task_run.c.id.asc(), task_run.c.id.desc()

_ORDER: dict[TaskRunSort, tuple[Column, ...]] = {
    TaskRunSort.ID_DESC: (_DOWN,),
    TaskRunSort.EXPECTED_START_TIME_ASC: (task_run.c.expected_start_time.asc().nulls_first(), _UP),
    TaskRunSort.EXPECTED_START_TIME_DESC: (task_run.c.expected_start_time.desc().nulls_last(), _DOWN),
    TaskRunSort.NAME_ASC: (task_run.c.name.asc(), _UP),
    TaskRunSort.NAME_DESC: (task_run.c.name.desc(), _DOWN),
    TaskRunSort.NEXT_SCHEDULED_START_TIME_ASC: (task_run.c.next_scheduled_start_time.asc().nulls_first(), _UP),
    TaskRunSort.END_TIME_DESC: (task_run.c.end_time.desc().nulls_last(), _DOWN),
}
