"""A flow run that fails is tried again as often as it may be."""

from datetime import timedelta

from lightwell.contract.states import StateType
from lightwell.orchestration.course import Course
from lightwell.orchestration.decision import Status, Verdict, reject
from lightwell.orchestration.rule import rule
from lightwell.orchestration.transition import FlowRun


@rule(leaving={StateType.RUNNING}, entering={StateType.FAILED})
def retry_failed_flow_run(course: Course[FlowRun]) -> Verdict | None:
    """The same process waits and runs it again, so the slot of its deployment stays with it."""
    retries, proposed = course.retry_policy.get("retries"), course.proposed
    if retries is None or course.run_count > retries or course.initial is None:
        return None
    due = course.transition.now + timedelta(seconds=course.retry_policy.get("retry_delay") or 0)
    awaiting = course.compose(
        StateType.SCHEDULED,
        proposed.message,
        name="AwaitingRetry",
        data=proposed.data,
        scheduled_time=due,
        deployment_concurrency_lease_id=course.initial.state_details.deployment_concurrency_lease_id,
    )
    return reject("Retrying", awaiting)


@retry_failed_flow_run.afterwards
def _mark_the_kind_of_retry(course: Course[FlowRun]) -> None:
    if course.status is Status.REJECT:
        course.amend_policy(resuming=False, pause_keys=[], retry_type="in_process")
    else:
        course.amend_policy(retry_type=None)
