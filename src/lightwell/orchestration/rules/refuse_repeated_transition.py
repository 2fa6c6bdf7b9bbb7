"""A client that did not get the answer may ask the same again without harm."""

from lightwell.orchestration.course import Course
from lightwell.orchestration.decision import Verdict, reject
from lightwell.orchestration.rule import ANY_STATE, rule
from lightwell.orchestration.transition import FlowRun


@rule(leaving=ANY_STATE, entering=ANY_STATE)
def refuse_repeated_transition(course: Course[FlowRun]) -> Verdict | None:
    """A transition has an id of the client's choosing; the second with the same id gets the state of the first."""
    asked = course.details.transition_id
    if asked is not None and course.initial is not None and course.initial.state_details.transition_id == asked:
        return reject("This run has already made this state transition.")
    return None
