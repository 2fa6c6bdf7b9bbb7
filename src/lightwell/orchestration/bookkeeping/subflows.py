"""A flow run inside another is a task run to its parent, which follows every state."""

from lightwell.orchestration.course import Course
from lightwell.orchestration.effects import MirrorToParent
from lightwell.orchestration.rule import bookkeeping
from lightwell.orchestration.transition import FlowRun


@bookkeeping()
def mirror_to_parent(course: Course[FlowRun]) -> None:
    """The parent's task run gets the same state, with an identity of its own and the child's id."""
    parent_task_run_id = course.run.parent_task_run_id
    if parent_task_run_id is not None:
        details = course.details.model_copy(update={"child_flow_run_id": course.run.id})
        identity = {"id": course.transition.tuning.new_id(), "state_details": details}
        course.effects.append(MirrorToParent(parent_task_run_id, course.proposed.model_copy(update=identity)))
