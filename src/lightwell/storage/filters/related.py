"""What a list of one resource is restricted to: criteria of its own, and of what it belongs to or what belongs to it.

A filter object that is there restricts even when it says nothing: flow runs filtered by an empty deployment filter are
those that have a deployment. To one relative leads a list of ids, which the database can begin with; to many, EXISTS.
"""

from typing import TypedDict
from uuid import UUID

from sqlalchemy import Select, exists, select

from lightwell.contract.deployments import DeploymentFilter
from lightwell.contract.filter_shapes import IdFilter
from lightwell.contract.flow_runs import FlowRunFilter
from lightwell.contract.flows import FlowFilter
from lightwell.contract.queries import RunFilters
from lightwell.contract.task_runs import TaskRunFilter
from lightwell.contract.work_pools import WorkPoolFilter
from lightwell.contract.work_queues import WorkQueueFilter
from lightwell.storage.filters import deployments, flow_runs, flows, task_runs, work_pools
from lightwell.storage.filters.criteria import Clause
from lightwell.storage.filters.dialects import is_one_of
from lightwell.storage.tables import deployment, flow, flow_run, task_run, work_pool, work_queue
from lightwell.storage.transaction import Reader

_FEW = 20
"""So many flows are named one by one."""


class Criteria(TypedDict, total=False):
    """Filter objects of several resources, as keyword arguments; all of them hold, None says nothing."""

    flows: FlowFilter | None
    flow_runs: FlowRunFilter | None
    task_runs: TaskRunFilter | None
    deployments: DeploymentFilter | None
    work_pools: WorkPoolFilter | None
    work_queues: WorkQueueFilter | None


def criteria_of(query: RunFilters) -> Criteria:
    """The filters that a request's body has, to be passed on as keyword arguments."""
    return {
        "flows": query.flows,
        "flow_runs": query.flow_runs,
        "task_runs": query.task_runs,
        "deployments": query.deployments,
        "work_pools": getattr(query, "work_pools", None),
        "work_queues": getattr(query, "work_queues", None) or getattr(query, "work_pool_queues", None),
    }


def of_flows(criteria: Criteria) -> list[Clause]:
    """What must hold of the flows that are listed; work pools count by the deployments in them."""
    clauses: list[Clause] = []
    if (wanted := criteria.get("flows")) is not None:
        clauses.append(flows.clause(wanted))
    deployed = _of_deployed(criteria)
    if deployed:
        clauses.append(flow.c.id.in_(select(deployment.c.flow_id).where(*deployed).correlate(None)))
    ran = [*_of_own_runs(criteria), *_of_task_runs_inside(criteria)]
    if ran:
        clauses.append(exists().select_from(flow_run).where(flow_run.c.flow_id == flow.c.id, *ran).correlate(flow))
    return clauses


def of_flow_runs(criteria: Criteria, *, listed: bool = False) -> list[Clause]:
    """What must hold of flow runs; `listed` where the first of them are wanted, in an order."""
    return [*_of_own_runs(criteria, listed=listed), *_of_relatives(criteria), *_of_task_runs_inside(criteria)]


def narrowed(reader: Reader, criteria: Criteria) -> Criteria:
    """The same criteria with the ids of the flows they mean, if those are few.

    Of a flow whose id is known an index gives the runs in order; of the flows of a subquery all runs would be sorted.
    """
    wanted = criteria.get("flows")
    if wanted is None or _ids_alone(wanted) is not None:
        return criteria
    ids = list(reader.execute(select(flow.c.id).where(flows.clause(wanted)).limit(_FEW + 1)).scalars())
    if len(ids) > _FEW:
        return criteria
    return {**criteria, "flows": FlowFilter(id=IdFilter(any_=ids))}


def of_task_runs(criteria: Criteria) -> list[Clause]:
    """What must hold of the task runs that are listed; all but their own criteria are about their flow run."""
    clauses: list[Clause] = []
    if (wanted := criteria.get("task_runs")) is not None:
        clauses.append(task_runs.clause(wanted))
    around = _of_relatives(criteria)
    ids = None if around else _ids_alone(criteria.get("flow_runs"))
    if ids is not None:
        clauses.append(is_one_of(task_run.c.flow_run_id, ids))
        return clauses
    around += _of_own_runs(criteria)
    if around:
        enclosing = exists().select_from(flow_run).where(flow_run.c.id == task_run.c.flow_run_id, *around)
        clauses.append(enclosing.correlate(task_run))
    return clauses


def _ids_alone(wanted: FlowRunFilter | FlowFilter | None) -> list[UUID] | None:
    """The ids, where a filter says no more than that: then nothing needs to be looked up."""
    if wanted is None or wanted.id is None or wanted.id.any_ is None or wanted.id.not_any_:
        return None
    said = [name for name, value in wanted.__dict__.items() if value is not None and name != "operator"]
    return wanted.id.any_ if said == ["id"] else None


def _of_own_runs(criteria: Criteria, *, listed: bool = False) -> list[Clause]:
    wanted = criteria.get("flow_runs")
    return [] if wanted is None else [flow_runs.clause(wanted, listed=listed)]


def _of_task_runs_inside(criteria: Criteria) -> list[Clause]:
    wanted = criteria.get("task_runs")
    if wanted is None:
        return []
    inside = exists().select_from(task_run).where(task_run.c.flow_run_id == flow_run.c.id, task_runs.clause(wanted))
    return [inside.correlate(flow_run)]


def _of_deployed(criteria: Criteria) -> list[Clause]:
    clauses: list[Clause] = []
    if (wanted := criteria.get("deployments")) is not None:
        clauses.append(deployments.clause(wanted))
    if criteria.get("work_pools") is not None:
        clauses.append(deployment.c.work_queue_id.in_(_queues({"work_pools": criteria.get("work_pools")})))
    return clauses


def _of_relatives(criteria: Criteria) -> list[Clause]:
    clauses: list[Clause] = []
    if (of_flow := criteria.get("flows")) is not None:
        known = _ids_alone(of_flow)
        if known is None:
            clauses.append(flow_run.c.flow_id.in_(select(flow.c.id).where(flows.clause(of_flow)).correlate(None)))
        else:
            clauses.append(is_one_of(flow_run.c.flow_id, known))
    if (of_deployment := criteria.get("deployments")) is not None:
        ids = select(deployment.c.id).where(deployments.clause(of_deployment)).correlate(None)
        clauses.append(flow_run.c.deployment_id.in_(ids))
    if criteria.get("work_pools") is not None or criteria.get("work_queues") is not None:
        clauses.append(flow_run.c.work_queue_id.in_(_queues(criteria)))
    return clauses


def _queues(criteria: Criteria) -> Select[tuple[UUID]]:
    queues = select(work_queue.c.id).correlate(None)
    if (of_queue := criteria.get("work_queues")) is not None:
        queues = queues.where(work_pools.queue_clause(of_queue))
    if (of_pool := criteria.get("work_pools")) is not None:
        pools = select(work_pool.c.id).where(work_pools.pool_clause(of_pool)).correlate(None)
        queues = queues.where(work_queue.c.work_pool_id.in_(pools))
    return queues
