"""What was computed under the same key need not be computed again."""

from typing import Any

from lightwell.contract.states import StateType
from lightwell.orchestration.course import Course
from lightwell.orchestration.decision import Verdict, reject
from lightwell.orchestration.needs import Need
from lightwell.orchestration.rule import ANYTHING, rule
from lightwell.orchestration.transition import TaskRun, Transition


def _may_use_the_cache(transition: Transition[Any]) -> bool:
    details = transition.proposed.state_details
    return bool(details.cache_key) and not details.refresh_cache


@rule(leaving=ANYTHING, entering={StateType.RUNNING}, when=_may_use_the_cache, needs={Need.CACHED_STATE})
def retrieve_cached_state(course: Course[TaskRun]) -> Verdict | None:
    """The client adopts the completed state, under the name `Cached`, instead of running."""
    transition, cached = course.transition, course.transition.facts.cached_state
    if cached is None:
        return None
    identity = {"id": transition.tuning.new_id(), "timestamp": transition.now, "name": "Cached"}
    return reject("The result was found in the cache.", cached.model_copy(update=identity))
