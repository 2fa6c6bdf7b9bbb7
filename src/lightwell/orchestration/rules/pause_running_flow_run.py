"""Which flow runs may pause, and that each pause happens once."""

from lightwell.contract.states import StateType
from lightwell.orchestration.course import Course
from lightwell.orchestration.decision import Verdict, abort, reject
from lightwell.orchestration.rule import ANYTHING, rule
from lightwell.orchestration.transition import FlowRun


@rule(leaving=ANYTHING, entering={StateType.PAUSED})
def pause_running_flow_run(course: Course[FlowRun]) -> Verdict | None:
    """Only a running one; suspended (its process ends) only one that a deployment can start again."""
    verb = "suspended" if course.proposed.name == "Suspended" else "paused"
    if course.initial is None:
        return abort(f"A run without a state cannot be {verb}.")
    if course.initial.type is not StateType.RUNNING:
        return reject(f"Only a running flow run can be {verb}.")
    key = course.details.pause_key
    if key is not None and key in (course.retry_policy.get("pause_keys") or ()):
        return reject(f"The run was {verb} here already.")
    if course.details.pause_reschedule:
        if course.run.parent_task_run_id is not None:
            return abort(f"A flow run inside another cannot be {verb}.")
        if course.run.deployment_id is None:
            return abort(f"A run without a deployment cannot be {verb}.")
    return None


@pause_running_flow_run.afterwards
def _remember_the_pause(course: Course[FlowRun]) -> None:
    key = course.details.pause_key or str(course.transition.tuning.new_id())
    seen = course.retry_policy.get("pause_keys") or ()
    course.amend_policy(pause_keys=[*seen, key])
