"""A completed state with a cache key can be found by it."""

from lightwell.contract.states import StateType
from lightwell.orchestration.course import Course
from lightwell.orchestration.decision import Status, Verdict, reject
from lightwell.orchestration.effects import StoreCacheKey
from lightwell.orchestration.rule import ANYTHING, rule
from lightwell.orchestration.transition import TaskRun


@rule(leaving=ANYTHING, entering={StateType.COMPLETED})
def store_cache_key(course: Course[TaskRun]) -> Verdict | None:
    """A key that is too long is not stored; the run completes, and the client is told."""
    key, longest = course.details.cache_key, course.transition.tuning.longest_cache_key
    if key and len(key) > longest:
        return reject(f"The cache key has more than {longest} characters and was not stored.", course.proposed)
    return None


@store_cache_key.afterwards
def _store(course: Course[TaskRun]) -> None:
    details = course.details
    if details.cache_key and course.status is Status.ACCEPT:
        course.effects.append(StoreCacheKey(details.cache_key, details.cache_expiration, course.proposed.id))
