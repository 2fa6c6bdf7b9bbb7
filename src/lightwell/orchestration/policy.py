"""A policy: rules and bookkeeping in their order, indexed by the change of type, so that none is called in vain."""

from collections.abc import Iterable
from typing import Generic, TypeVar

from lightwell.contract.states import StateType
from lightwell.orchestration.rule import ANY_STATE, ANYTHING, Bookkeeping, Consequence, Rule
from lightwell.orchestration.transition import R

_Entry = TypeVar("_Entry", Rule, Bookkeeping)
_Index = dict[StateType | None, dict[StateType, tuple[_Entry, ...]]]


class Policy(Generic[R]):
    """What governs the transitions of one kind of run in one situation."""

    __slots__ = ("_bookkeeping", "_rules", "name", "rules")

    def __init__(self, name: str, rules: Iterable[Rule], bookkeeping: Iterable[Bookkeeping]) -> None:
        self.name = name
        self.rules = tuple(rules)
        self._rules = _indexed(self.rules)
        self._bookkeeping = {
            leaving: {entering: tuple(entry.record for entry in entries) for entering, entries in row.items()}
            for leaving, row in _indexed(tuple(bookkeeping)).items()
        }

    def rules_for(self, leaving: StateType | None, entering: StateType) -> tuple[Rule, ...]:
        """The rules that a proposed change of type must pass, in order."""
        return self._rules[leaving][entering]

    def bookkeeping_for(self, leaving: StateType | None, entering: StateType) -> tuple[Consequence, ...]:
        """What is recorded for a settled change of type, in order."""
        return self._bookkeeping[leaving][entering]


def _indexed(entries: tuple[_Entry, ...]) -> _Index[_Entry]:
    return {
        leaving: {
            entering: tuple(entry for entry in entries if leaving in entry.leaving and entering in entry.entering)
            for entering in ANY_STATE
        }
        for leaving in ANYTHING
    }
