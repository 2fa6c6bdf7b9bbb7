"""Remembering what was refused to a flow run, for who asks later why it is where it is."""

from lightwell.contract.states import StateType
from lightwell.instrumentation.failures import trace_id
from lightwell.orchestration.decision import Status
from lightwell.storage import flow_run_refusals
from lightwell.storage.flow_run_refusals import Refusal
from lightwell.storage.flow_runs import FlowRunRecord
from lightwell.storage.transaction import Transaction


def note_refusal(
    tx: Transaction,
    run: FlowRunRecord,
    kind: StateType,
    name: str | None,
    rule: str,
    verdict: Status,
    reason: str | None,
) -> None:
    """Remember that a state of this type and name was refused to a run that this transaction has locked.

    The reason is shown to operators: it is a sentence of the server's own, never one that quotes what was sent.
    """
    refusal = Refusal(run.state_type, kind.value, name or kind.value.capitalize(), rule, verdict.value, reason)
    flow_run_refusals.note(tx, run.id, refusal, trace_id())
