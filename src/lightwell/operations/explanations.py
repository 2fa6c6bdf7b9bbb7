"""Gathering what is known of a flow run, for the explainer; a fixed number of statements at most."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final, Literal
from uuid import UUID

from lightwell.contract.explanations import Explanation
from lightwell.contract.states import TERMINAL_STATES, StateType
from lightwell.instrumentation.annotations import annotate
from lightwell.instrumentation.traceparent import LABEL, parse_traceparent
from lightwell.orchestration.explanations.explainer import explain as explain_situation
from lightwell.orchestration.explanations.situation import (
    Came,
    Deployment,
    Expectations,
    FailedTask,
    Holder,
    Limit,
    LoopAge,
    Parent,
    Queue,
    Refused,
    Run,
    Signs,
    Situation,
)
from lightwell.storage import concurrency_limits, flow_run_refusals, flow_run_states, flow_runs, leases
from lightwell.storage import flow_run_surroundings as surroundings
from lightwell.storage.concurrency_limits import LimitRecord
from lightwell.storage.estimates import run_time
from lightwell.storage.flow_run_surroundings import DeploymentRecord, WaitingTaskRecord
from lightwell.storage.flow_runs import FlowRunRecord
from lightwell.storage.tag_limits import name_of, tag_of
from lightwell.storage.transaction import Reader

MOST_STATES: Final = 200
_MOST_HOLDERS: Final = 5
_MOST_TASKS: Final = 20
_MOST_LIMITS: Final = 10
_LATELY: Final = timedelta(minutes=2)
"""A client that was refused slots asks again sooner than that."""

_Hold = Literal["deployment", "tag", "name"]


def explain(reader: Reader, flow_run_id: UUID, expectations: Expectations, loops: Mapping[str, LoopAge]) -> Explanation:
    """Why the run is where it is; raises NotFound. `loops` are those of the process that asks."""
    annotate(flow_run_id=flow_run_id)
    record = flow_runs.get(reader, flow_run_id)
    history = flow_run_states.select_newest(reader, flow_run_id, MOST_STATES + 1)
    deployment = record.deployment_id and surroundings.find_deployment(reader, record.deployment_id)
    queue = record.work_queue_id and surroundings.find_queue(reader, record.work_queue_id)
    parent = record.parent_task_run_id and surroundings.find_parent(reader, record.parent_task_run_id)
    situation = Situation(
        now=reader.now,
        run=_run(reader, record),
        history=tuple(Came(*one) for one in history[-MOST_STATES:]),
        is_shortened=len(history) > MOST_STATES,
        refusals=tuple(Refused._make(one) for one in flow_run_refusals.select(reader, flow_run_id)),
        deployment=Deployment(deployment.id, deployment.name, deployment.last_polled) if deployment else None,
        lost_deployment_id=None if deployment else record.deployment_id,
        queue=Queue._make(queue) if queue else None,
        parent=Parent._make(parent._replace(state_type=_type_of(parent.state_type))) if parent else None,
        limits=_limits(reader, record, deployment or None),
        failed_tasks=_failed_tasks(reader, record),
        signs=_signs(reader, record),
        loops=loops,
        expectations=expectations,
    )
    return explain_situation(situation)


def _run(reader: Reader, record: FlowRunRecord) -> Run:
    own = parse_traceparent((record.labels or {}).get(LABEL))
    return Run(
        id=record.id,
        name=record.name,
        flow_name=record.flow_name,
        state=record.state,
        due=record.next_scheduled_start_time,
        start_time=record.start_time,
        run_time=run_time(record.state_type, record.state_timestamp, record.total_run_time, reader.now),
        run_count=record.run_count,
        retries=record.empirical_policy.get("retries"),
        process=record.infrastructure_pid,
        trace_id=None if own is None else f"{own.trace_id:032x}",
    )


def _failed_tasks(reader: Reader, record: FlowRunRecord) -> tuple[FailedTask, ...]:
    if record.state_type not in {StateType.FAILED, StateType.CRASHED}:
        return ()
    return tuple(FailedTask._make(one) for one in surroundings.failed_tasks(reader, record.id, _MOST_TASKS))


def _signs(reader: Reader, record: FlowRunRecord) -> Signs:
    if record.state_type != StateType.RUNNING:
        return Signs()
    return Signs._make(surroundings.signs_of_life(reader, record.id))


def _limits(reader: Reader, record: FlowRunRecord, deployment: DeploymentRecord | None) -> tuple[Limit, ...]:
    """The limits without a free slot that may hold up the run in its state."""
    found: dict[UUID, tuple[_Hold, LimitRecord]] = {}
    waiting: Sequence[WaitingTaskRecord] = ()
    if record.state_type is None or record.state_type in TERMINAL_STATES:
        return ()
    if record.state_type == StateType.SCHEDULED and deployment is not None and deployment.concurrency_limit_id:
        own = concurrency_limits.find(reader, deployment.concurrency_limit_id)
        found |= {} if own is None else {own.id: ("deployment", own)}
    if record.state_type == StateType.RUNNING:
        refusing = concurrency_limits.select_refusing(reader, reader.now - _LATELY, _MOST_LIMITS)
        found |= {limit.id: ("name", limit) for limit in refusing}
        waiting = surroundings.waiting_tasks(reader, record.id, _MOST_TASKS)
        names = {name_of(tag) for task in waiting for tag in task.tags}
        found |= {limit.id: ("tag", limit) for limit in concurrency_limits.select_named(reader, names)} if names else {}
    full = {
        limit_id: (hold, limit)
        for limit_id, (hold, limit) in found.items()
        if limit.active and limit.taken(reader.now) >= limit.limit
    }
    holders = leases.oldest_holders(reader, full, _MOST_HOLDERS) if full else []
    return tuple(
        Limit(
            id=limit.id,
            name=limit.name,
            slots=limit.limit,
            taken=limit.taken(reader.now),
            hold=hold,
            holders=tuple(
                Holder(one.since, one.slots, one.type, one.id, one.name, one.expires)
                for one in holders
                if one.limit_id == limit.id
            ),
            waiting=tuple((one.id, one.name) for one in waiting if hold == "tag" and tag_of(limit) in one.tags),
        )
        for hold, limit in full.values()
    )


def _type_of(kind: str | None) -> StateType | None:
    return None if kind is None else StateType(kind)
