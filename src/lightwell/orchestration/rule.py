"""What a rule is, and what bookkeeping is: functions that say for which changes of type they are meant."""

from collections.abc import Callable, Iterable
from typing import Any

from lightwell.contract.states import TERMINAL_STATES, StateType
from lightwell.orchestration.course import Course
from lightwell.orchestration.decision import Verdict
from lightwell.orchestration.needs import Need
from lightwell.orchestration.transition import Transition

ANY_STATE: frozenset[StateType] = frozenset(StateType)
ANYTHING: frozenset[StateType | None] = ANY_STATE | {None}
"""Any state of a run, or none yet."""
GOING_ON = ANY_STATE - TERMINAL_STATES

Judge = Callable[[Course[Any]], Verdict | None]
Consequence = Callable[[Course[Any]], None]
Guard = Callable[[Transition[Any]], bool]


class Rule:
    """One idea about transitions.

    `judge` sees the course before anything is written, may change it and may object; `after` comes into play
    when the rule still stands at the end. `when` says more closely than the types for which transitions the
    rule is meant, and so when `needs` have to be looked up.
    """

    __slots__ = ("after", "entering", "judge", "leaving", "name", "needs", "when")

    def __init__(
        self,
        name: str,
        leaving: Iterable[StateType | None],
        entering: Iterable[StateType],
        *,
        when: Guard | None = None,
        needs: Iterable[Need] = (),
    ) -> None:
        self.name = name
        self.leaving = frozenset(leaving)
        self.entering = frozenset(entering)
        self.when = when
        self.needs = frozenset(needs)
        self.judge: Judge | None = None
        self.after: Consequence | None = None

    def afterwards(self, consequence: Consequence) -> Consequence:
        """Decorate what follows if the rule still stands when the state is settled."""
        self.after = consequence
        return consequence


def rule(
    *,
    leaving: Iterable[StateType | None],
    entering: Iterable[StateType],
    when: Guard | None = None,
    needs: Iterable[Need] = (),
) -> Callable[[Judge], Rule]:
    """Make a rule of the function that judges; the function's name is the rule's name."""

    def make(judge: Judge) -> Rule:
        made = Rule(judge.__name__, leaving, entering, when=when, needs=needs)
        made.judge = judge
        return made

    return make


def consequence(
    *,
    leaving: Iterable[StateType | None],
    entering: Iterable[StateType],
    when: Guard | None = None,
    needs: Iterable[Need] = (),
) -> Callable[[Consequence], Rule]:
    """Make a rule that never objects: the function runs when the state is settled."""

    def make(after: Consequence) -> Rule:
        made = Rule(after.__name__, leaving, entering, when=when, needs=needs)
        made.after = after
        return made

    return make


class Bookkeeping:
    """Something recorded for every state that is written, whatever policy let it through."""

    __slots__ = ("entering", "leaving", "name", "record")

    def __init__(self, record: Consequence, leaving: Iterable[StateType | None], entering: Iterable[StateType]) -> None:
        self.name = record.__name__
        self.record = record
        self.leaving = frozenset(leaving)
        self.entering = frozenset(entering)


def bookkeeping(
    *, leaving: Iterable[StateType | None] = ANYTHING, entering: Iterable[StateType] = ANY_STATE
) -> Callable[[Consequence], Bookkeeping]:
    """Make bookkeeping of the function that records."""
    return lambda record: Bookkeeping(record, leaving, entering)
