"""Where a deployment cancels what finds no slot, a late run that finds none is cancelled too."""

from typing import Any

from lightwell.contract.states import StateType
from lightwell.orchestration.course import Course
from lightwell.orchestration.decision import Verdict, reject
from lightwell.orchestration.needs import Need
from lightwell.orchestration.rule import rule
from lightwell.orchestration.transition import FlowRun, Transition


def _is_late_run_of_a_deployment(transition: Transition[Any]) -> bool:
    return transition.proposed.name == "Late" and transition.run.deployment_id is not None


@rule(
    leaving={StateType.SCHEDULED},
    entering={StateType.SCHEDULED},
    when=_is_late_run_of_a_deployment,
    needs={Need.DEPLOYMENT},
)
def cancel_late_when_full(course: Course[FlowRun]) -> Verdict | None:
    """Otherwise the runs that no worker asks for would pile up as late."""
    deployment = course.transition.facts.deployment
    limit = deployment.limit if deployment is not None else None
    if limit is None or limit.collision_strategy != "CANCEL_NEW" or limit.taken < limit.slots:
        return None
    message = "The deployment's concurrency limit is reached."
    return reject(
        "The limit is full and the deployment cancels new runs.", course.compose(StateType.CANCELLED, message)
    )
