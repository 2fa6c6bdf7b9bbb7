"""A task run takes a slot of every limit on its tags before it runs, or none."""

from typing import Any

from lightwell.contract.states import StateType
from lightwell.orchestration.course import Course
from lightwell.orchestration.decision import Verdict, abort, wait
from lightwell.orchestration.effects import AcquireLease
from lightwell.orchestration.intervals import spread
from lightwell.orchestration.needs import Need, TagLimit
from lightwell.orchestration.rule import ANYTHING, rule
from lightwell.orchestration.transition import TaskRun, Transition

_SPREAD = 0.3


def _has_tags(transition: Transition[Any]) -> bool:
    return bool(transition.run.tags)


@rule(leaving=ANYTHING, entering={StateType.RUNNING}, when=_has_tags, needs={Need.TAG_LIMITS})
def secure_tag_slots(course: Course[TaskRun]) -> Verdict | None:
    """Where a limit is full the client asks again after about as long as its slots are held on average."""
    tuning = course.transition.tuning
    limits = [limit for limit in course.transition.facts.tag_limits if not limit.held]
    for limit in limits:
        if limit.slots == 0:
            return abort(f'The concurrency limit on tag "{limit.tag}" is 0: the task could never run.')
    full = [limit for limit in limits if limit.taken >= limit.slots]
    if full:
        tags = ", ".join(limit.tag for limit in full)
        return wait(_delay(course, full), f"The concurrency limit is reached for: {tags}")
    if limits:
        lease = AcquireLease(tuning.new_id(), tuple(limit.id for limit in limits), None, "task_run", course.run.id)
        course.effects.append(lease)
    return None


def _delay(course: Course[TaskRun], full: list[TagLimit]) -> int:
    tuning = course.transition.tuning
    most_contended = max(full, key=lambda limit: limit.taken / limit.slots)
    average = min(most_contended.average_occupancy or tuning.tag_slot_wait, tuning.tag_slot_wait)
    return max(1, round(spread(average.total_seconds(), _SPREAD, tuning.chance)))
