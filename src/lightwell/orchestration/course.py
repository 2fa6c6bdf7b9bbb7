"""A transition under way: what the rules have made of it so far; it lives for one call of `engine.decide`."""

from collections.abc import Mapping
from typing import Any, Generic

from lightwell.contract.states import State, StateDetails, StateType
from lightwell.orchestration.decision import Decision, Status, Verdict
from lightwell.orchestration.effects import Effect
from lightwell.orchestration.transition import R, Transition


class Course(Generic[R]):
    """Working copies that rules and bookkeeping may change; the transition itself never changes."""

    __slots__ = (
        "changes",
        "details",
        "effects",
        "initial",
        "proposed",
        "reason",
        "retry_policy",
        "rule",
        "run",
        "run_count",
        "status",
        "transition",
    )

    proposed: State
    """The state to be written, as it stands: ours to change."""
    details: StateDetails
    """The details of `proposed`: ours to change."""
    retry_policy: Mapping[str, Any]
    """The run's `empirical_policy`; changed by `amend_policy`."""

    def __init__(self, transition: Transition[R]) -> None:
        self.transition: Transition[R] = transition
        self.run: R = transition.run
        self.initial = transition.initial
        self.status = Status.ACCEPT
        self.reason: str | None = None
        self.rule: str | None = None
        self.changes: dict[str, Any] = {}
        self._adopt(transition.proposed)

    def _adopt(self, state: State) -> None:
        self.details = state.state_details.model_copy()
        self.proposed = state.model_copy(update={"state_details": self.details})
        self.retry_policy = self.run.empirical_policy
        self.run_count = self.run.run_count
        self.effects: list[Effect] = []

    def divert(self, verdict: Verdict, state: State, rule: str) -> None:
        """Go on with the verdict's state; another type undoes whatever earlier rules did for the one proposed."""
        self.status, self.reason, self.rule = verdict.status, verdict.reason, rule
        if state.type is not self.proposed.type:
            self._adopt(state)

    def amend_policy(self, **members: Any) -> None:
        """Change members of the run's `empirical_policy`."""
        policy = self.retry_policy
        if any(policy.get(name) != value for name, value in members.items()):
            self.retry_policy = {**policy, **members}

    def compose(
        self, kind: StateType, reason: str | None = None, *, name: str | None = None, data: Any = None, **details: Any
    ) -> State:
        """A new state of this moment; `reason` is its message."""
        return State(
            id=self.transition.tuning.new_id(),
            type=kind,
            name=name,
            timestamp=self.transition.now,
            message=reason,
            data=data,
            state_details=StateDetails(**details),
        )

    def conclude(self) -> Decision:
        """The decision, when every rule and all bookkeeping is through."""
        changes = self.changes
        if self.run_count != self.run.run_count:
            changes["run_count"] = self.run_count
        if self.retry_policy is not self.run.empirical_policy:
            changes["empirical_policy"] = dict(self.retry_policy)
        return Decision(self.status, self.proposed, self.reason, None, changes, tuple(self.effects), self.rule)
