"""The two calls of operations: `needs` says what to look up for a transition, `decide` says what becomes of it.

Rules are asked in order. The first that objects without a state of its own ends it: nothing is written. One that
objects with a state of another type ends the asking, and what earlier rules did for the proposed type is undone.
Then the bookkeeping of the settled change is done, and the rules that still stand draw their consequences.
"""

from collections.abc import Callable
from types import MappingProxyType

from lightwell.errors import Defect
from lightwell.orchestration.course import Course
from lightwell.orchestration.decision import Decision, Status, Verdict
from lightwell.orchestration.needs import Need
from lightwell.orchestration.policy import Policy
from lightwell.orchestration.rule import Rule
from lightwell.orchestration.transition import R, Transition

Observer = Callable[[str, str, str | None], None]
"""Is told each rule's name, its verdict (`ACCEPT` where it has no objection) and the reason."""

_NO_NEEDS: frozenset[Need] = frozenset()
_NO_CHANGES = MappingProxyType[str, object]({})


def needs(policy: Policy[R], transition: Transition[R]) -> frozenset[Need]:
    """What the rules of the policy must know of this transition; empty for most."""
    initial = transition.initial
    wanted = _NO_NEEDS
    for rule in policy.rules_for(initial.type if initial is not None else None, transition.proposed.type):
        if rule.needs and (rule.when is None or rule.when(transition)):
            wanted |= rule.needs
    return wanted


def decide(policy: Policy[R], transition: Transition[R], observe: Observer | None = None) -> Decision:
    """What becomes of the proposed state. Defect when the facts lack what `needs` asked for."""
    initial, proposed = transition.initial, transition.proposed
    leaving = initial.type if initial is not None else None
    course = Course(transition)
    standing: list[Rule] = []
    for rule in policy.rules_for(leaving, proposed.type):
        if rule.when is not None and not rule.when(transition):
            continue
        verdict = _ask(rule, course)
        if observe is not None:
            observe(rule.name, *(verdict[:2] if verdict is not None else (Status.ACCEPT, None)))
        if verdict is not None:
            state = verdict.state
            if state is None:
                return Decision(
                    verdict.status, initial, verdict.reason, verdict.delay_seconds, _NO_CHANGES, (), rule.name
                )
            course.divert(verdict, state, rule.name)
            if state.type is not proposed.type:
                standing = [rule]
                break
        standing.append(rule)
    return _settle(policy, course, standing)


def _ask(rule: Rule, course: Course[R]) -> Verdict | None:
    if rule.needs and not rule.needs <= course.transition.facts.loaded:
        missing = ", ".join(sorted(need.name for need in rule.needs - course.transition.facts.loaded))
        message = f"the rule {rule.name} was asked without having: {missing}"
        raise Defect(message)
    return rule.judge(course) if rule.judge is not None else None


def _settle(policy: Policy[R], course: Course[R], standing: list[Rule]) -> Decision:
    initial = course.initial
    for record in policy.bookkeeping_for(initial.type if initial is not None else None, course.proposed.type):
        record(course)
    for rule in reversed(standing):
        if rule.after is not None:
            rule.after(course)
    return course.conclude()
