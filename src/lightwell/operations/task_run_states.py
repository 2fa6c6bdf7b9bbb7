"""The states of task runs that are proposed to the server; what clients report is in `task_run_reports.py`."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from lightwell.contract.orchestration import OrchestrationResult
from lightwell.contract.states import State, StateCreate
from lightwell.events.runs import task_run_state_changed
from lightwell.instrumentation.annotations import annotate
from lightwell.instrumentation.decisions import observe_verdict
from lightwell.instrumentation.operation import operation
from lightwell.operations.effects import carry_out
from lightwell.operations.facts import as_rules_see, look_up
from lightwell.operations.run_times import times_of
from lightwell.operations.transitions import result_of
from lightwell.orchestration.decision import Decision
from lightwell.orchestration.engine import decide, needs
from lightwell.orchestration.policies import task_run_policy
from lightwell.orchestration.policy import Policy
from lightwell.orchestration.proposals import propose
from lightwell.orchestration.transition import TaskRun, Transition, Tuning
from lightwell.storage import task_runs
from lightwell.storage.task_runs import TaskRunRecord
from lightwell.storage.transaction import Transaction


@operation
def set_state(
    tx: Transaction, task_run_id: UUID, asked: StateCreate, tuning: Tuning, *, force: bool = False
) -> OrchestrationResult:
    """What comes of a state that a client proposes for a task run; raises NotFound."""
    annotate(task_run_id=task_run_id)
    run = task_runs.get(tx, task_run_id, lock=True)
    annotate(flow_run_id=run.flow_run_id)
    state = propose(asked, tx.now, tuning.new_id)
    return result_of(move(tx, run, state, task_run_policy(state, force=force), tuning))


def move(tx: Transaction, run: TaskRunRecord, state: State, policy: Policy[TaskRun], tuning: Tuning) -> Decision:
    """Decide on a state for a task run that this transaction has locked, and do what was decided."""
    transition = Transition(run=as_rules_see(run), initial=run.state, proposed=state, now=tx.now, tuning=tuning)
    decision = _decide(tx, policy, transition)
    if decision.writes and decision.state is not None:
        annotate(state_type=decision.state.type.value, state_name=decision.state.name)
        task_runs.append_state(tx, run.id, decision.state, decision.changes)
        carry_out(tx, decision.effects, tuning)
        times = times_of(transition.run, decision.state.type, decision.changes)
        tx.announce(task_run_state_changed(run.id, run.state, decision.state, times))
    return decision


def begin(tx: Transaction, values: Mapping[str, Any], state: State, tuning: Tuning) -> TaskRunRecord | None:
    """Insert a task run in its first state; None if there is one of its id or keys already."""
    run = TaskRun(
        id=values["id"],
        empirical_policy=values["empirical_policy"],
        flow_run_id=values.get("flow_run_id"),
        tags=values["tags"],
    )
    policy = task_run_policy(state, force=True)
    transition = Transition(run=run, initial=None, proposed=state, now=tx.now, tuning=tuning)
    decision = _decide(tx, policy, transition)
    first = decision.state or state
    if task_runs.insert(tx, {**values, **decision.changes}, first) is None:
        return None
    carry_out(tx, decision.effects, tuning)
    tx.announce(task_run_state_changed(run.id, None, first, times_of(run, first.type, decision.changes)))
    return task_runs.get(tx, run.id)


def _decide(tx: Transaction, policy: Policy[TaskRun], transition: Transition[TaskRun]) -> Decision:
    return decide(policy, look_up(tx, needs(policy, transition), transition), observe_verdict)
