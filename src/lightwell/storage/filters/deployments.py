"""Which deployments."""

from sqlalchemy import select, true

from lightwell.contract.deployments import DeploymentFilter, DeploymentOrFlowNameFilter
from lightwell.storage.filters.criteria import Clause, Members, joined, of_column, of_members, of_tags
from lightwell.storage.filters.dialects import contains_any_case
from lightwell.storage.tables import deployment, flow

_flow = flow.alias("deployed_flow")


def clause(criteria: DeploymentFilter) -> Clause:
    """The deployments that a filter object means; a concurrency limit in it is outdated and says nothing."""
    return of_members(criteria, _MEMBERS)


def _either_name(criteria: DeploymentOrFlowNameFilter) -> Clause:
    if not criteria.like_:
        return joined(criteria, ())
    flows = select(_flow.c.id).where(contains_any_case(_flow.c.name, criteria.like_)).correlate(None)
    return contains_any_case(deployment.c.name, criteria.like_) | deployment.c.flow_id.in_(flows)


_MEMBERS: Members = {
    "id": of_column(deployment.c.id),
    "name": of_column(deployment.c.name),
    "flow_or_deployment_name": _either_name,
    "paused": of_column(deployment.c.paused),
    "tags": of_tags(deployment.c.tags),
    "work_queue_name": of_column(deployment.c.work_queue_name),
    "concurrency_limit": lambda _: true(),
}
