"""Looking up what the rules must know of a transition, and locking what they decide on."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from lightwell.contract.states import State, StateType
from lightwell.orchestration.needs import (
    Deployment,
    DeploymentLimit,
    EnclosingFlowRun,
    Facts,
    Need,
    TagLimit,
)
from lightwell.orchestration.transition import R, TaskRun, Transition
from lightwell.storage import concurrency_limits, deployments, flow_runs, leases, task_runs
from lightwell.storage.concurrency_limits import TAG_PREFIX
from lightwell.storage.leases import Holder
from lightwell.storage.task_runs import TaskRunRecord
from lightwell.storage.transaction import Transaction


def look_up(tx: Transaction, wanted: frozenset[Need], transition: Transition[R]) -> Transition[R]:
    """The transition with the facts that are wanted; the same one where nothing is."""
    if not wanted:
        return transition
    # In the order in which locks are taken everywhere: limits first, then leases.
    found = {need.value: search(tx, transition) for need, search in _SEARCHES.items() if need in wanted}
    return replace(transition, facts=Facts(loaded=wanted, **found))


def as_rules_see(run: TaskRunRecord) -> TaskRun:
    """A task run as the rules are shown it."""
    return TaskRun(
        id=run.id,
        run_count=run.run_count,
        empirical_policy=run.empirical_policy,
        start_time=run.start_time,
        end_time=run.end_time,
        total_run_time=run.total_run_time,
        expected_start_time=run.expected_start_time,
        flow_run_id=run.flow_run_id,
        flow_run_run_count=run.flow_run_run_count,
        tags=run.tags,
    )


def _deployment(tx: Transaction, transition: Transition[Any]) -> Deployment | None:
    deployment_id: UUID | None = transition.run.deployment_id
    found = None if deployment_id is None else deployments.find(tx, deployment_id)
    if found is None:
        return None
    limit_id = found.concurrency_limit_id
    limit = None if limit_id is None else concurrency_limits.find(tx, limit_id, lock=True)
    if limit is None or not limit.active:
        return Deployment()
    options = found.concurrency_options or {}
    grace = options.get("grace_period_seconds")
    return Deployment(
        DeploymentLimit(
            id=limit.id,
            slots=limit.limit,
            taken=limit.taken(tx.now),
            collision_strategy=options.get("collision_strategy") or "ENQUEUE",
            grace_period=None if grace is None else timedelta(seconds=grace),
        )
    )


def _lease_is_alive(tx: Transaction, transition: Transition[Any]) -> bool:
    initial = transition.initial
    lease_id = None if initial is None else initial.state_details.deployment_concurrency_lease_id
    return lease_id is not None and leases.is_alive(tx, lease_id)


def _flow_run(tx: Transaction, transition: Transition[Any]) -> EnclosingFlowRun | None:
    flow_run_id: UUID | None = transition.run.flow_run_id
    run = None if flow_run_id is None else flow_runs.find(tx, flow_run_id)
    if run is None:
        return None
    if run.state is None:
        return EnclosingFlowRun(run.id, run.run_count, None)
    details = run.state.state_details
    return EnclosingFlowRun(
        id=run.id,
        run_count=run.run_count,
        state_type=StateType(run.state.type),
        pause_timeout=details.pause_timeout,
        pause_reschedule=details.pause_reschedule,
    )


def _tag_limits(tx: Transaction, transition: Transition[Any]) -> tuple[TagLimit, ...]:
    names = [f"{TAG_PREFIX}{tag}" for tag in transition.run.tags]
    limits = [limit for limit in concurrency_limits.select_named(tx, names, lock=True) if limit.active]
    if not limits:
        return ()
    held = leases.held_by(tx, Holder("task_run", transition.run.id))
    return tuple(
        TagLimit(
            id=limit.id,
            tag=limit.name.removeprefix(TAG_PREFIX),
            slots=limit.limit,
            taken=limit.taken(tx.now),
            average_occupancy=timedelta(seconds=limit.avg_slot_occupancy_seconds),
            held=limit.id in held,
        )
        for limit in limits
    )


def _cached_state(tx: Transaction, transition: Transition[Any]) -> State | None:
    key = transition.proposed.state_details.cache_key
    return None if key is None else task_runs.find_cached_state(tx, key)


_SEARCHES: Mapping[Need, Callable[[Transaction, Transition[Any]], Any]] = {
    Need.DEPLOYMENT: _deployment,
    Need.LEASE: _lease_is_alive,
    Need.FLOW_RUN: _flow_run,
    Need.TAG_LIMITS: _tag_limits,
    Need.CACHED_STATE: _cached_state,
}
