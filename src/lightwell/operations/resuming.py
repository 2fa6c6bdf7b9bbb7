"""Letting a paused flow run go on, with the input that it waits for."""

import json
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from lightwell.contract.orchestration import OrchestrationResult
from lightwell.contract.states import StateType
from lightwell.instrumentation.annotations import annotate
from lightwell.instrumentation.operation import operation
from lightwell.instrumentation.traceparent import link_run
from lightwell.kit.late import load
from lightwell.operations.flow_run_refusals import note_refusal
from lightwell.operations.flow_run_states import move
from lightwell.operations.transitions import aborted, rejected, result_of
from lightwell.orchestration.decision import Status
from lightwell.orchestration.policies import flow_run_policy
from lightwell.orchestration.proposals import resumption
from lightwell.orchestration.transition import Tuning
from lightwell.storage import flow_run_inputs, flow_runs
from lightwell.storage.transaction import Transaction

_RULE = "resume"
_NOT_PAUSED = "Cannot resume a flow run that is not paused."
_MISFIT = "The input that came with it does not fit what the run asked for."


@operation
def resume(
    tx: Transaction,
    flow_run_id: UUID,
    run_input: Mapping[str, Any] | None,
    tuning: Tuning,
    *,
    client_version: str | None = None,
) -> OrchestrationResult:
    """What comes of asking a paused run to go on; raises NotFound.

    An input that the run's own schema does not allow is a REJECT, and nothing is changed.
    """
    annotate(flow_run_id=flow_run_id)
    run = flow_runs.get(tx, flow_run_id, lock=True)
    link_run(run.labels)
    paused = run.state
    if paused is None or paused.type is not StateType.PAUSED:
        note_refusal(tx, run, StateType.RUNNING, None, _RULE, Status.ABORT, _NOT_PAUSED)
        return aborted(_NOT_PAUSED)
    state = resumption(paused, tx.now, tuning.new_id)
    keys = paused.state_details.run_input_keyset
    if keys:
        objection = _objection(tx, flow_run_id, keys, run_input or {})
        if objection is not None:
            # In words of our own: the objection quotes what was sent.
            note_refusal(tx, run, state.type, state.name, _RULE, Status.REJECT, _MISFIT)
            return rejected(objection, paused)
    decision = move(tx, run, state, flow_run_policy(force=False), tuning, client_version)
    if keys and run_input and decision.status is Status.ACCEPT:
        flow_run_inputs.insert(tx, flow_run_id, keys["response"], json.dumps(run_input, separators=(",", ":")), None)
    return result_of(decision)


def _objection(tx: Transaction, flow_run_id: UUID, keys: Mapping[str, str], run_input: Mapping[str, Any]) -> str | None:
    kept = flow_run_inputs.find(tx, flow_run_id, keys.get("schema", ""))
    if kept is None:
        return "Run input schema not found."
    try:
        schema = json.loads(kept.value)
    except (ValueError, RecursionError):
        return "Run input schema is not valid JSON."
    misfit: Callable[[Any, Mapping[str, Any]], str | None] = load("lightwell.operations.input_schemas:misfit")
    return misfit(schema, run_input)
