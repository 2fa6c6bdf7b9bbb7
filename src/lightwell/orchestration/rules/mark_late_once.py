"""Only a run that waits for its time can be late, and only once."""

from lightwell.contract.states import StateType
from lightwell.orchestration.course import Course
from lightwell.orchestration.decision import Verdict, reject
from lightwell.orchestration.rule import ANY_STATE, rule
from lightwell.orchestration.transition import FlowRun


@rule(leaving=ANY_STATE, entering={StateType.SCHEDULED})
def mark_late_once(course: Course[FlowRun]) -> Verdict | None:
    """It may have started since somebody saw that it was late."""
    if course.proposed.name != "Late" or course.initial is None:
        return None
    if course.initial.type is not StateType.SCHEDULED:
        return reject("Only a scheduled run can be late.")
    if course.initial.name == "Late":
        return reject("The run is marked late already.")
    return None
