"""What a run held while it was under way is given back when it is not."""

from lightwell.contract.states import StateType
from lightwell.orchestration.course import Course
from lightwell.orchestration.decision import Status
from lightwell.orchestration.effects import ReleaseHolder, ReleaseLease
from lightwell.orchestration.rule import ANY_STATE, bookkeeping
from lightwell.orchestration.transition import FlowRun, TaskRun

_HOLDING_A_TAG = frozenset({StateType.RUNNING, StateType.CANCELLING})
_HOLDING_A_DEPLOYMENT = _HOLDING_A_TAG | {StateType.PENDING}


@bookkeeping(leaving=_HOLDING_A_DEPLOYMENT, entering=ANY_STATE - _HOLDING_A_DEPLOYMENT)
def release_deployment_slot(course: Course[FlowRun]) -> None:
    """The slot is free, except when the same process retries after a while: it goes on renewing its lease."""
    retries_in_process = (
        course.status is Status.REJECT
        and course.proposed.type is StateType.SCHEDULED
        and course.proposed.name == "AwaitingRetry"
    )
    lease_id = course.initial.state_details.deployment_concurrency_lease_id if course.initial is not None else None
    if lease_id is not None and not retries_in_process:
        course.effects.append(ReleaseLease(lease_id))


@bookkeeping(leaving=ANY_STATE, entering=ANY_STATE - _HOLDING_A_TAG)
def release_tag_slots(course: Course[TaskRun]) -> None:
    """Whatever a task run with tags holds is free when it does not run any more."""
    if course.run.tags:
        course.effects.append(ReleaseHolder("task_run", course.run.id))
