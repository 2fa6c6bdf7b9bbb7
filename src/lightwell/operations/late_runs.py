"""Saying of flow runs that should have started that they are late."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from lightwell.instrumentation.annotations import annotate
from lightwell.instrumentation.operation import operation
from lightwell.instrumentation.traceparent import link_run
from lightwell.operations.flow_run_states import move
from lightwell.orchestration.policies import LATE_FLOW_RUN_POLICY
from lightwell.orchestration.proposals import lateness
from lightwell.orchestration.transition import Tuning
from lightwell.storage import due_flow_runs
from lightwell.storage.transaction import Transaction


@operation
def mark_late(tx: Transaction, flow_run_ids: Sequence[UUID], before: datetime, tuning: Tuning) -> int:
    """Mark those of these runs that wait for a time before `before`; how many got a new state, late or cancelled."""
    marked = 0
    for run in due_flow_runs.claim_late(tx, flow_run_ids, before):
        annotate(flow_run_id=run.id)
        link_run(run.labels)
        state = lateness(run.next_scheduled_start_time or before, tx.now, tuning.new_id)
        marked += move(tx, run, state, LATE_FLOW_RUN_POLICY, tuning).writes
    return marked
