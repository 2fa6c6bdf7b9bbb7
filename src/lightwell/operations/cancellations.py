"""Finishing what somebody's cancellation of a flow run has begun: the run itself, and what goes on inside it."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from lightwell.contract.states import State, StateType
from lightwell.instrumentation.annotations import annotate
from lightwell.instrumentation.operation import operation
from lightwell.instrumentation.traceparent import link_run
from lightwell.operations import flow_run_states, task_run_states
from lightwell.orchestration.policies import FLOW_RUN_POLICY, FORCED_TASK_RUN_POLICY
from lightwell.orchestration.transition import Tuning
from lightwell.storage import due_flow_runs, due_task_runs
from lightwell.storage.transaction import Transaction

_UNCONFIRMED = "Nobody confirmed in time that the run has stopped."
_LEFT_BEHIND = "The flow run around it was cancelled."


@operation
def end_stuck(tx: Transaction, flow_run_ids: Sequence[UUID], before: datetime, tuning: Tuning) -> int:
    """Call those of these runs cancelled that are being cancelled since before `before`; how many there were."""
    ended = 0
    for run in due_flow_runs.claim_stuck(tx, flow_run_ids, before):
        annotate(flow_run_id=run.id)
        link_run(run.labels)
        state = _state(tx, StateType.CANCELLED, _UNCONFIRMED, tuning)
        ended += flow_run_states.move(tx, run, state, FLOW_RUN_POLICY, tuning).writes
    return ended


@operation
def cancel_subflow_runs(tx: Transaction, flow_run_ids: Sequence[UUID], tuning: Tuning) -> int:
    """Cancel those of these runs that go on inside a cancelled one, a deployment's by asking its worker; how many."""
    cancelled = 0
    for run in due_flow_runs.claim_left_behind(tx, flow_run_ids):
        annotate(flow_run_id=run.id)
        link_run(run.labels)
        kind = StateType.CANCELLED if run.deployment_id is None else StateType.CANCELLING
        state = _state(tx, kind, _LEFT_BEHIND, tuning)
        cancelled += flow_run_states.move(tx, run, state, FLOW_RUN_POLICY, tuning).writes
    return cancelled


@operation
def cancel_task_runs(tx: Transaction, task_run_ids: Sequence[UUID], since: datetime, tuning: Tuning) -> int:
    """Cancel those of these task runs that go on inside a flow run that was cancelled at `since` or later; how many."""
    cancelled = 0
    for run in due_task_runs.claim_left_behind(tx, task_run_ids, since):
        annotate(flow_run_id=run.flow_run_id)
        state = _state(tx, StateType.CANCELLED, _LEFT_BEHIND, tuning)
        cancelled += task_run_states.move(tx, run, state, FORCED_TASK_RUN_POLICY, tuning).writes
    return cancelled


def _state(tx: Transaction, kind: StateType, message: str, tuning: Tuning) -> State:
    return State(id=tuning.new_id(), type=kind, timestamp=tx.now, message=message)
