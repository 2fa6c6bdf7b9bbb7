"""Doing what a decision asks for beside the new state: slots, the cache, and the parent of a subflow."""

from collections.abc import Iterable

from lightwell.instrumentation.decisions import observe_verdict
from lightwell.operations.facts import as_rules_see, look_up
from lightwell.orchestration.effects import (
    AcquireLease,
    Effect,
    EnqueueTaskRun,
    MirrorToParent,
    PinLease,
    ReleaseHolder,
    ReleaseLease,
    RenewLease,
    StoreCacheKey,
)
from lightwell.orchestration.engine import decide, needs
from lightwell.orchestration.policies import FORCED_TASK_RUN_POLICY
from lightwell.orchestration.transition import Transition, Tuning
from lightwell.storage import concurrency_limits, leases, task_runs
from lightwell.storage.leases import Holder
from lightwell.storage.transaction import Transaction


def carry_out(tx: Transaction, effects: Iterable[Effect], tuning: Tuning) -> None:
    """Do all of it, in order; what is done already, or is about something that is gone, does nothing."""
    for effect in effects:
        _carry_out(tx, effect, tuning)


def _carry_out(tx: Transaction, effect: Effect, tuning: Tuning) -> None:
    match effect:
        case AcquireLease():
            _acquire(tx, effect)
        case RenewLease(lease_id, lifetime):
            leases.renew(tx, lease_id, lifetime)
        case PinLease(lease_id):
            leases.renew(tx, lease_id, None)
        case ReleaseLease(lease_id):
            leases.release(tx, [lease_id])
        case ReleaseHolder(kind, holder_id):
            leases.release_holders(tx, kind, [holder_id])
        case StoreCacheKey(cache_key, expiration, state_id):
            task_runs.store_cache_key(tx, state_id, cache_key, expiration)
        case MirrorToParent():
            _mirror(tx, effect, tuning)
        case EnqueueTaskRun():
            # Its scheduled state is the entry in the queue: whoever serves the task reads the table.
            pass


def _acquire(tx: Transaction, effect: AcquireLease) -> None:
    limits = concurrency_limits.select_by_ids(tx, effect.limit_ids, lock=True)
    holder = Holder(effect.holder_kind, effect.holder_id)
    leases.acquire(tx, effect.lease_id, limits, 1, lifetime=effect.lifetime, holder=holder)


def _mirror(tx: Transaction, effect: MirrorToParent, tuning: Tuning) -> None:
    """A task run that stands for a flow run follows it without being asked, and nobody is told of it."""
    run = task_runs.find(tx, effect.task_run_id, lock=True)
    if run is None:
        return
    transition = Transition(run=as_rules_see(run), initial=run.state, proposed=effect.state, now=tx.now, tuning=tuning)
    policy = FORCED_TASK_RUN_POLICY
    decision = decide(policy, look_up(tx, needs(policy, transition), transition), observe_verdict)
    if decision.writes and decision.state is not None:
        task_runs.append_state(tx, run.id, decision.state, decision.changes)
        carry_out(tx, decision.effects, tuning)
