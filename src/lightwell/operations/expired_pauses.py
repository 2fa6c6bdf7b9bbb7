"""Failing flow runs that nobody has resumed in time."""

from collections.abc import Sequence
from uuid import UUID

from lightwell.contract.states import State, StateType
from lightwell.instrumentation.annotations import annotate
from lightwell.instrumentation.operation import operation
from lightwell.instrumentation.traceparent import link_run
from lightwell.operations.flow_run_states import move
from lightwell.orchestration.policies import FORCED_FLOW_RUN_POLICY
from lightwell.orchestration.transition import Tuning
from lightwell.storage import due_flow_runs
from lightwell.storage.transaction import Transaction

_MESSAGE = "The flow was paused and never resumed."


@operation
def fail_expired(tx: Transaction, flow_run_ids: Sequence[UUID], tuning: Tuning) -> int:
    """Fail those of these runs that are paused and whose pause is over; how many did."""
    failed = 0
    for run in due_flow_runs.claim_expired_pauses(tx, flow_run_ids):
        annotate(flow_run_id=run.id)
        link_run(run.labels)
        state = State(id=tuning.new_id(), type=StateType.FAILED, timestamp=tx.now, message=_MESSAGE)
        failed += move(tx, run, state, FORCED_FLOW_RUN_POLICY, tuning).writes
    return failed
