"""Plays cases against our rules, with a dictionary for a database: what operations do around `decide`, in small."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, NamedTuple
from uuid import UUID, uuid4

from lightwell.contract.states import State, StateCreate, StateType
from lightwell.kit.ids import new_id
from lightwell.orchestration.decision import Decision
from lightwell.orchestration.effects import AcquireLease, Effect, PinLease, ReleaseHolder, ReleaseLease, RenewLease
from lightwell.orchestration.engine import decide, needs
from lightwell.orchestration.needs import (
    Deployment,
    DeploymentLimit,
    EnclosingFlowRun,
    Facts,
    Need,
    TagLimit,
)
from lightwell.orchestration.policies import flow_run_policy, task_run_policy
from lightwell.orchestration.policy import Policy
from lightwell.orchestration.proposals import propose
from lightwell.orchestration.transition import FlowRun, R, TaskRun, Transition
from tests.orchestration.cases import Case, materialize, opening, outline

_STEP = timedelta(milliseconds=10)
_KEY = "key"


class Surroundings(NamedTuple):
    """What there is beside the run itself."""

    deployment_slots: int | None = None
    deployment_strategy: Any = "ENQUEUE"
    tag_slots: int | None = None
    taken_by_others: int = 0
    flow_run: EnclosingFlowRun | None = None
    cached_state: State | None = None


class World(Generic[R]):
    """One run, its state, and the leases it holds."""

    def __init__(self, run: R, surroundings: Surroundings, choose: Callable[[State, bool], Policy[R]]) -> None:
        self.run: R = run
        self.state: State | None = None
        self.columns: dict[str, Any] = dict(run._asdict())
        self.leases: set[UUID] = set()
        self.effects: list[Effect] = []
        self._surroundings = surroundings
        self._choose: Callable[[State, bool], Policy[R]] = choose
        # Why the true time: a scheduled state that a client proposes without a time is due when it is parsed.
        self._now = datetime.now(UTC)

    def set_state(self, name: str, *, force: bool = False, deferred: bool = False) -> Decision:
        """Propose the state, and write what was decided."""
        self._now += _STEP
        asked = StateCreate.model_validate(materialize(name, self._now, _KEY, deferred=deferred))
        proposed = propose(asked, self._now)
        policy = self._choose(proposed, force)
        wanted = Transition(run=self.run, initial=self.state, proposed=proposed, now=self._now, client_version="3.8.8")
        transition = Transition(
            run=wanted.run,
            initial=wanted.initial,
            proposed=proposed,
            now=self._now,
            client_version="3.8.8",
            facts=self._look_up(needs(policy, wanted)),
        )
        decision = decide(policy, transition)
        if decision.writes:
            self.state = decision.state
            self.columns |= decision.changes
            known = {name: value for name, value in decision.changes.items() if name in self.run._fields}
            self.run = self.run._replace(**known)
            self._apply(decision.effects)
        return decision

    def _apply(self, effects: tuple[Effect, ...]) -> None:
        self.effects += effects
        for effect in effects:
            match effect:
                case AcquireLease(lease_id=lease_id):
                    self.leases.add(lease_id)
                case ReleaseLease(lease_id=lease_id):
                    self.leases.discard(lease_id)
                case ReleaseHolder():
                    self.leases.clear()
                case RenewLease(lease_id=lease_id) | PinLease(lease_id=lease_id):
                    assert lease_id in self.leases

    def _look_up(self, wanted: frozenset[Need]) -> Facts:
        around = self._surroundings
        taken = around.taken_by_others + len(self.leases)
        deployment = tag_limits = None
        if around.deployment_slots is not None:
            deployment = DeploymentLimit(uuid4(), around.deployment_slots, taken, around.deployment_strategy)
        if around.tag_slots is not None:
            tag_limits = TagLimit(uuid4(), "tag", around.tag_slots, taken, held=bool(self.leases))
        return Facts(
            loaded=wanted,
            deployment=Deployment(deployment),
            lease_is_alive=bool(self.leases),
            flow_run=around.flow_run,
            tag_limits=(tag_limits,) if tag_limits else (),
            cached_state=around.cached_state,
        )


def flow_run_world(kind: str) -> World[FlowRun]:
    """The world of a flow run of this kind, as `record.py` makes it."""
    run, around = FlowRun(new_id()), Surroundings()
    match kind:
        case "deployed":
            run = run._replace(deployment_id=uuid4())
        case "retrying":
            run = run._replace(empirical_policy={"retries": 1, "retry_delay": 0})
        case "placed":
            run = run._replace(infrastructure_pid="host:1")
        case "inside":
            run = run._replace(parent_task_run_id=uuid4())
        case "full_enqueue" | "full_cancel" | "free":
            run = run._replace(deployment_id=uuid4())
            strategy = "CANCEL_NEW" if kind == "full_cancel" else "ENQUEUE"
            around = Surroundings(1, strategy, taken_by_others=0 if kind == "free" else 1)
    return World(run, around, lambda _, force: flow_run_policy(force=force))


def task_run_world(kind: str) -> World[TaskRun]:
    """The world of a task run of this kind, as `record.py` makes it."""
    run, around = TaskRun(new_id()), Surroundings()
    match kind:
        case "cached":
            completed = State(id=uuid4(), type=StateType.COMPLETED, timestamp=datetime(2025, 1, 1, tzinfo=UTC))
            around = Surroundings(cached_state=completed)
        case "none":
            run, around = run._replace(tags=["tag"]), Surroundings(tag_slots=0)
        case "retrying":
            run = run._replace(empirical_policy={"retries": 1, "retry_delay": 0})
        case _ if kind.startswith("inside_"):
            run = run._replace(flow_run_id=uuid4())
            state, count = _ENCLOSING[kind]
            around = Surroundings(flow_run=EnclosingFlowRun(uuid4(), count, state))
    return World(run, around, lambda proposed, force: task_run_policy(proposed, force=force))


_ENCLOSING = {
    "inside_running": (StateType.RUNNING, 1),
    "inside_paused": (StateType.PAUSED, 1),
    "inside_failed": (StateType.FAILED, 1),
    "inside_retried": (StateType.RUNNING, 2),
}


def replay(world: World[R], case: Case) -> list[str]:
    """The outcome of each step, in the words of the recorded ones."""
    first, steps = opening(case)
    deferred = case.kind == "background"
    world.set_state(first, force=True, deferred=deferred)
    outcomes = []
    for step in steps:
        decision = world.set_state(step, force=step.startswith("!"), deferred=deferred)
        state = {"type": decision.state.type.value, "name": decision.state.name} if decision.state else None
        outcomes.append(outline(decision.status, state, world.columns))
    return outcomes
