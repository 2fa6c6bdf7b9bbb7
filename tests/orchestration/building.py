"""Short words for the tables: states, runs, facts and the decision on them, all at one instant."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from lightwell.contract.states import State, StateDetails, StateType
from lightwell.kit.ids import new_id
from lightwell.orchestration.decision import Decision
from lightwell.orchestration.engine import Observer, decide, needs
from lightwell.orchestration.needs import Deployment, DeploymentLimit, Facts
from lightwell.orchestration.policies import FLOW_RUN_POLICY, TASK_RUN_POLICY
from lightwell.orchestration.policy import Policy
from lightwell.orchestration.transition import DEFAULTS, FlowRun, TaskRun, Transition, Tuning

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BEFORE = NOW - timedelta(seconds=10)
LATER = NOW + timedelta(seconds=90)
DEPLOYMENT_ID = UUID(int=1)
LEASE_ID = UUID(int=2)
LIMIT_ID = UUID(int=3)
PARENT_ID = UUID(int=4)
FLOW_RUN_ID = UUID(int=5)
STORED = {"type": "reference", "storage_key": "k"}

FLOW_RUN = FlowRun(UUID(int=10))
DEPLOYED = FLOW_RUN._replace(deployment_id=DEPLOYMENT_ID)
TASK_RUN = TaskRun(UUID(int=11))


def state(
    kind: str,
    name: str | None = None,
    *,
    data: Any = None,
    message: str | None = None,
    at: datetime = NOW,
    **details: Any,
) -> State:
    """A state of this type."""
    return State(
        id=new_id(),
        type=StateType(kind),
        name=name,
        timestamp=at,
        message=message,
        data=data,
        state_details=StateDetails(**details),
    )


def had(kind: str, name: str | None = None, *, data: Any = None, at: datetime = BEFORE, **details: Any) -> State:
    """A state that the run has had for ten seconds."""
    return state(kind, name, data=data, at=at, **details)


def limited(slots: int = 1, taken: int = 0, **members: Any) -> Deployment:
    """A deployment with a limit."""
    return Deployment(DeploymentLimit(LIMIT_ID, slots, taken, **members))


def flow_run_decision(
    initial: State | None,
    proposed: State,
    run: FlowRun = FLOW_RUN,
    *,
    policy: Policy[FlowRun] = FLOW_RUN_POLICY,
    client: str | None = "3.8.8",
    tuning: Tuning = DEFAULTS,
    observe: Observer | None = None,
    **facts: Any,
) -> Decision:
    """What becomes of a state proposed for a flow run; facts that are needed and not given are empty."""
    transition = Transition(run=run, initial=initial, proposed=proposed, now=NOW, client_version=client, tuning=tuning)
    known = Facts(loaded=needs(policy, transition), **facts)
    transition = Transition(
        run=run, initial=initial, proposed=proposed, now=NOW, client_version=client, facts=known, tuning=tuning
    )
    return decide(policy, transition, observe)


def task_run_decision(
    initial: State | None,
    proposed: State,
    run: TaskRun = TASK_RUN,
    *,
    policy: Policy[TaskRun] = TASK_RUN_POLICY,
    tuning: Tuning = DEFAULTS,
    **facts: Any,
) -> Decision:
    """What becomes of a state proposed for a task run; facts that are needed and not given are empty."""
    transition = Transition(run=run, initial=initial, proposed=proposed, now=NOW, tuning=tuning)
    known = Facts(loaded=needs(policy, transition), **facts)
    return decide(policy, Transition(run=run, initial=initial, proposed=proposed, now=NOW, facts=known, tuning=tuning))


def verdict(decision: Decision) -> str:
    """Status and state of a decision, in short: `REJECT SCHEDULED:AwaitingRetry`, `ABORT` where nothing is written."""
    if not decision.writes or decision.state is None:
        return decision.status.value
    return f"{decision.status.value} {decision.state.type.value}:{decision.state.name}"


def details(decision: Decision) -> StateDetails:
    """The details of the state that is answered."""
    assert decision.state is not None
    return decision.state.state_details


def verdicts_of(
    policy: Policy[FlowRun], initial: State | None, proposed: State, run: FlowRun = FLOW_RUN
) -> Sequence[str]:
    """The rules that were asked, each with its verdict."""
    told: list[str] = []
    flow_run_decision(
        initial, proposed, run, policy=policy, observe=lambda rule, verdict, _: told.append(f"{rule} {verdict}")
    )
    return told
