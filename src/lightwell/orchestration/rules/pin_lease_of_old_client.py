"""A client that cannot renew a lease keeps its slot until its run ends."""

from typing import Any

from lightwell.contract.states import StateType
from lightwell.orchestration.client_versions import renews_leases
from lightwell.orchestration.course import Course
from lightwell.orchestration.effects import PinLease
from lightwell.orchestration.rule import consequence
from lightwell.orchestration.transition import FlowRun, Transition


def _does_not_renew_leases(transition: Transition[Any]) -> bool:
    return not renews_leases(transition.client_version)


@consequence(
    leaving={StateType.PENDING}, entering={StateType.RUNNING, StateType.CANCELLING}, when=_does_not_renew_leases
)
def pin_lease_of_old_client(course: Course[FlowRun]) -> None:
    """From here on the lease would have to be renewed by the client."""
    lease_id = course.initial.state_details.deployment_concurrency_lease_id if course.initial is not None else None
    if lease_id is not None:
        course.effects.append(PinLease(lease_id))
