"""A run of a deployment takes one of its slots before infrastructure is made for it."""

from typing import Any

from lightwell.contract.states import StateType
from lightwell.orchestration.client_versions import takes_deployment_slots_itself
from lightwell.orchestration.course import Course
from lightwell.orchestration.decision import Verdict, abort, reject
from lightwell.orchestration.effects import AcquireLease
from lightwell.orchestration.needs import Need
from lightwell.orchestration.rule import ANYTHING, rule
from lightwell.orchestration.transition import FlowRun, Transition

_FULL = "The deployment's concurrency limit is reached."


def _is_submitted_from_a_deployment(transition: Transition[Any]) -> bool:
    return transition.run.deployment_id is not None and not takes_deployment_slots_itself(transition.client_version)


@rule(
    leaving=ANYTHING - {StateType.PENDING, StateType.RUNNING, StateType.CANCELLING},
    entering={StateType.PENDING},
    when=_is_submitted_from_a_deployment,
    needs={Need.DEPLOYMENT},
)
def secure_deployment_slot(course: Course[FlowRun]) -> Verdict | None:
    """Without a free slot the run waits, scheduled for later, or is cancelled, as the deployment says."""
    tuning, deployment = course.transition.tuning, course.transition.facts.deployment
    if deployment is None:
        return abort("The deployment of this run does not exist any more.")
    limit = deployment.limit
    if limit is None:
        return None
    if limit.slots == 0:
        return abort("The deployment's concurrency limit is 0: the run could never start.")
    if limit.taken < limit.slots:
        lease_id = tuning.new_id()
        lifetime = limit.grace_period or tuning.initial_lease
        course.details.deployment_concurrency_lease_id = lease_id
        course.effects.append(AcquireLease(lease_id, (limit.id,), lifetime, "flow_run", course.run.id))
        return None
    if limit.collision_strategy == "CANCEL_NEW":
        return reject(_FULL, course.compose(StateType.CANCELLED, _FULL))
    due = course.transition.now + tuning.deployment_slot_wait
    return reject(_FULL, course.compose(StateType.SCHEDULED, name="AwaitingConcurrencySlot", scheduled_time=due))
