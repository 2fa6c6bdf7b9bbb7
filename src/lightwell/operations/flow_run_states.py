"""The states of flow runs: proposing, resuming, and what the server itself proposes."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from lightwell.contract.flow_runs import FlowRunFilter
from lightwell.contract.flows import Flow
from lightwell.contract.orchestration import (
    AbortDetails,
    FlowRunOrchestrationResult,
    OrchestrationResult,
    SetStateStatus,
)
from lightwell.contract.states import State, StateCreate
from lightwell.errors import Rejected
from lightwell.events.flow_runs import FlowRunSubject, flow_run_state_changed
from lightwell.events.runs import RunTimes
from lightwell.instrumentation.annotations import annotate
from lightwell.instrumentation.decisions import observe_verdict
from lightwell.instrumentation.failures import trace_id
from lightwell.instrumentation.operation import operation
from lightwell.instrumentation.traceparent import link_run
from lightwell.operations.effects import carry_out
from lightwell.operations.facts import look_up
from lightwell.operations.flow_run_refusals import note_refusal
from lightwell.operations.flow_run_subjects import subject_of
from lightwell.operations.run_times import times_of
from lightwell.operations.transitions import result_of
from lightwell.orchestration.decision import Decision
from lightwell.orchestration.engine import decide, needs
from lightwell.orchestration.policies import FORCED_FLOW_RUN_POLICY, flow_run_policy
from lightwell.orchestration.policy import Policy
from lightwell.orchestration.proposals import propose
from lightwell.orchestration.transition import FlowRun, Transition, Tuning
from lightwell.storage import flow_runs
from lightwell.storage.flow_runs import FlowRunRecord
from lightwell.storage.transaction import Transaction


@operation
def set_state(
    tx: Transaction,
    flow_run_id: UUID,
    asked: StateCreate,
    tuning: Tuning,
    *,
    force: bool = False,
    client_version: str | None = None,
) -> OrchestrationResult:
    """What comes of a state that a client proposes for a run; raises NotFound."""
    annotate(flow_run_id=flow_run_id)
    run = flow_runs.get(tx, flow_run_id, lock=True)
    link_run(run.labels)
    state = propose(asked, tx.now, tuning.new_id)
    return result_of(move(tx, run, state, flow_run_policy(force=force), tuning, client_version))


@operation
def set_state_of_matching(
    tx: Transaction,
    criteria: FlowRunFilter | None,
    asked: StateCreate,
    tuning: Tuning,
    *,
    limit: int,
    force: bool = False,
    client_version: str | None = None,
) -> Sequence[FlowRunOrchestrationResult]:
    """Propose a state for at most `limit` of the runs that match; one that cannot be asked is an ABORT of its own."""
    results: list[FlowRunOrchestrationResult] = []
    for flow_run_id in flow_runs.select_ids(tx, limit=limit, flow_runs=criteria):
        try:
            with tx.nested():
                result = set_state(tx, flow_run_id, asked, tuning, force=force, client_version=client_version)
        except Rejected as error:
            details = AbortDetails(reason=error.message)
            results.append(
                FlowRunOrchestrationResult(
                    flow_run_id=flow_run_id, status=SetStateStatus.ABORT, state=None, details=details
                )
            )
        else:
            results.append(
                FlowRunOrchestrationResult(
                    flow_run_id=flow_run_id, status=result.status, state=result.state, details=result.details
                )
            )
    return results


def move(
    tx: Transaction,
    run: FlowRunRecord,
    state: State,
    policy: Policy[FlowRun],
    tuning: Tuning,
    client_version: str | None = None,
) -> Decision:
    """Decide on a state for a run that this transaction has locked, and do what was decided."""
    transition = Transition(
        run=_as_rules_see(run),
        initial=run.state,
        proposed=state,
        now=tx.now,
        client_version=client_version,
        tuning=tuning,
    )
    decision = _decide(tx, policy, transition)
    if decision.rule is not None:
        note_refusal(tx, run, state.type, state.name, decision.rule, decision.status, decision.reason)
    if decision.writes and decision.state is not None:
        flow_runs.append_state(tx, run.id, decision.state, decision.changes, trace_id())
        carry_out(tx, decision.effects, tuning)
        subject = subject_of(tx, run, decision.changes.get("run_count", run.run_count))
        _state_change(
            tx, subject, run.state, decision.state, times_of(transition.run, decision.state.type, decision.changes)
        )
    return decision


def begin(tx: Transaction, flow: Flow, values: Mapping[str, Any], state: State, tuning: Tuning) -> FlowRunRecord | None:
    """Insert a run in its first state; None if its flow has a run of its idempotency key already."""
    run = FlowRun(
        id=values["id"],
        empirical_policy=values["empirical_policy"],
        deployment_id=values.get("deployment_id"),
        parent_task_run_id=values.get("parent_task_run_id"),
    )
    transition = Transition(run=run, initial=None, proposed=state, now=tx.now, tuning=tuning)
    decision = _decide(tx, FORCED_FLOW_RUN_POLICY, transition)
    first = decision.state or state
    record = flow_runs.begin(tx, {**values, **decision.changes}, first, flow, trace_id())
    if record is None:
        return None
    carry_out(tx, decision.effects, tuning)
    _state_change(
        tx, subject_of(tx, record, record.run_count), None, first, times_of(run, first.type, decision.changes)
    )
    return record


def _decide(tx: Transaction, policy: Policy[FlowRun], transition: Transition[FlowRun]) -> Decision:
    return decide(policy, look_up(tx, needs(policy, transition), transition), observe_verdict)


def _state_change(
    tx: Transaction, subject: FlowRunSubject, previous: State | None, current: State, times: RunTimes
) -> None:
    annotate(state_type=current.type.value, state_name=current.name)
    tx.emit(flow_run_state_changed(subject, previous, current, times))


def _as_rules_see(run: FlowRunRecord) -> FlowRun:
    return FlowRun(
        id=run.id,
        run_count=run.run_count,
        empirical_policy=run.empirical_policy,
        start_time=run.start_time,
        end_time=run.end_time,
        total_run_time=run.total_run_time,
        expected_start_time=run.expected_start_time,
        deployment_id=run.deployment_id,
        parent_task_run_id=run.parent_task_run_id,
        infrastructure_pid=run.infrastructure_pid,
    )
