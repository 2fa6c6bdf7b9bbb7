"""A run that is being cancelled ends as cancelled."""

from lightwell.contract.states import StateType
from lightwell.orchestration.course import Course
from lightwell.orchestration.decision import Verdict, reject
from lightwell.orchestration.rule import ANY_STATE, rule
from lightwell.orchestration.transition import FlowRun


@rule(leaving={StateType.CANCELLING}, entering=ANY_STATE - {StateType.CANCELLED})
def end_cancelling_as_cancelled(course: Course[FlowRun]) -> Verdict | None:  # noqa: ARG001 - the types say it all
    """Neither completion nor a crash undoes that somebody cancelled it."""
    return reject("A run that is being cancelled can only become Cancelled.")
