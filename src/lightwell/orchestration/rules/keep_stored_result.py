"""A run that ended well keeps the reference to its result."""

from lightwell.contract.states import StateType
from lightwell.orchestration.course import Course
from lightwell.orchestration.decision import Verdict, reject
from lightwell.orchestration.results import refers_to_result
from lightwell.orchestration.rule import rule
from lightwell.orchestration.transition import FlowRun


@rule(leaving={StateType.COMPLETED}, entering={StateType.COMPLETED})
def keep_stored_result(course: Course[FlowRun]) -> Verdict | None:
    """Completed once more is fine, unless the result that the first one refers to were lost; even by force."""
    if (
        course.initial is not None
        and refers_to_result(course.initial.data)
        and not refers_to_result(course.proposed.data)
    ):
        return reject("The run is COMPLETED with a stored result, which the proposed state would lose.")
    return None
