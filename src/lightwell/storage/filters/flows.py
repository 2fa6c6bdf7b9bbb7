"""Which flows."""

from sqlalchemy import select

from lightwell.contract.flows import FlowDeploymentFilter, FlowFilter, FlowSort
from lightwell.storage.filters.criteria import Clause, Column, Members, joined, of_column, of_members, of_tags
from lightwell.storage.tables import deployment, flow

_deployed = deployment.alias("deployed")


def clause(criteria: FlowFilter) -> Clause:
    """The flows that a filter object means."""
    return of_members(criteria, _MEMBERS)


def order(sort: FlowSort) -> tuple[Column, ...]:
    """By what flows are ordered; the id settles what is equal."""
    return _ORDER[sort]


def _deployments(criteria: FlowDeploymentFilter) -> Clause:
    if criteria.is_null_ is None:
        return joined(criteria, ())
    with_deployment = select(_deployed.c.flow_id).correlate(None)
    return flow.c.id.not_in(with_deployment) if criteria.is_null_ else flow.c.id.in_(with_deployment)


_MEMBERS: Members = {
    "id": of_column(flow.c.id),
    "deployment": _deployments,
    "name": of_column(flow.c.name),
    "tags": of_tags(flow.c.tags),
}

_ORDER: dict[FlowSort, tuple[Column, ...]] = {
    FlowSort.CREATED_DESC: (flow.c.created.desc(), flow.c.id.desc()),
    FlowSort.UPDATED_DESC: (flow.c.updated.desc(), flow.c.id.desc()),
    FlowSort.NAME_ASC: (flow.c.name.asc(),),
    FlowSort.NAME_DESC: (flow.c.name.desc(),),
}
