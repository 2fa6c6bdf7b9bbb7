"""Deployments: here, only how other resources are filtered by them."""

from lightwell.contract.filter_shapes import AnyTagsFilter, Criteria, IdFilter, NameFilter, TextAny
from lightwell.contract.model import Input
from lightwell.contract.values import Int32, Text


class DeploymentPausedFilter(Input):
    """The deployment is paused, or is not."""

    eq_: bool | None = None


class DeploymentConcurrencyLimitFilter(Input):
    """The deployment's concurrency limit lies between these, or is absent, or is present."""

    ge_: Int32 | None = None
    le_: Int32 | None = None
    is_null_: bool | None = None


class DeploymentOrFlowNameFilter(Input):
    """The name of the deployment or of its flow has this inside, whatever the case of letters."""

    like_: Text | None = None


class DeploymentFilter(Criteria):
    """Which deployments."""

    id: IdFilter | None = None
    name: NameFilter | None = None
    flow_or_deployment_name: DeploymentOrFlowNameFilter | None = None
    paused: DeploymentPausedFilter | None = None
    tags: AnyTagsFilter | None = None
    work_queue_name: TextAny | None = None
    concurrency_limit: DeploymentConcurrencyLimitFilter | None = None
