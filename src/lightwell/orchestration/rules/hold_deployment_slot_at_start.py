"""A run that starts still has the slot it took when it was submitted, or gets another, or does not start."""

from typing import Any

from lightwell.contract.states import StateType
from lightwell.orchestration.client_versions import renews_leases
from lightwell.orchestration.course import Course
from lightwell.orchestration.decision import Verdict, reject
from lightwell.orchestration.effects import AcquireLease, RenewLease
from lightwell.orchestration.needs import Need
from lightwell.orchestration.rule import rule
from lightwell.orchestration.transition import FlowRun, Transition


def _has_a_lease_to_lose(transition: Transition[Any]) -> bool:
    return (
        transition.initial is not None
        and transition.initial.state_details.deployment_concurrency_lease_id is not None
        and transition.run.deployment_id is not None
        and renews_leases(transition.client_version)
    )


@rule(
    leaving={StateType.PENDING},
    entering={StateType.RUNNING},
    when=_has_a_lease_to_lose,
    needs={Need.DEPLOYMENT, Need.LEASE},
)
def hold_deployment_slot_at_start(course: Course[FlowRun]) -> Verdict | None:
    """The lease may have expired while the infrastructure was made; then it is too late to wait for a slot."""
    tuning, facts = course.transition.tuning, course.transition.facts
    limit = facts.deployment.limit if facts.deployment is not None else None
    lease_id = course.details.deployment_concurrency_lease_id
    if limit is None or lease_id is None:
        return None
    lifetime = limit.grace_period or tuning.initial_lease
    if facts.lease_is_alive:
        course.effects.append(RenewLease(lease_id, lifetime))
        return None
    if limit.taken < limit.slots:
        lease_id = tuning.new_id()
        course.details.deployment_concurrency_lease_id = lease_id
        course.effects.append(AcquireLease(lease_id, (limit.id,), lifetime, "flow_run", course.run.id))
        return None
    message = "The run lost its slot while its infrastructure was made, and none is free."
    return reject("The deployment's concurrency limit is reached.", course.compose(StateType.CANCELLED, message))
