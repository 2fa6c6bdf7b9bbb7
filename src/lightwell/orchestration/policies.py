"""The contents page: which rules govern which transitions, in the order in which they are asked.

The first objection counts, so the order is behaviour: what repeats is recognized before anything else is asked,
the cache is looked into before slots are taken, and a slot is taken before the time is awaited.
"""

from lightwell.contract.states import State
from lightwell.orchestration.bookkeeping import FLOW_RUN_BOOKKEEPING, TASK_RUN_BOOKKEEPING
from lightwell.orchestration.policy import Policy
from lightwell.orchestration.rules.cancel_at_once_without_infrastructure import cancel_at_once_without_infrastructure
from lightwell.orchestration.rules.cancel_late_when_full import cancel_late_when_full
from lightwell.orchestration.rules.carry_deployment_lease import carry_deployment_lease
from lightwell.orchestration.rules.copy_scheduled_time import copy_scheduled_time
from lightwell.orchestration.rules.copy_task_parameters_id import copy_task_parameters_id
from lightwell.orchestration.rules.end_cancelling_as_cancelled import end_cancelling_as_cancelled
from lightwell.orchestration.rules.enqueue_background_task_run import enqueue_background_task_run
from lightwell.orchestration.rules.forget_pauses_on_rerun import forget_pauses_on_rerun
from lightwell.orchestration.rules.guard_ended_flow_run import guard_ended_flow_run
from lightwell.orchestration.rules.guard_ended_task_run import guard_ended_task_run
from lightwell.orchestration.rules.hold_deployment_slot_at_start import hold_deployment_slot_at_start
from lightwell.orchestration.rules.keep_stored_result import keep_stored_result
from lightwell.orchestration.rules.mark_late_once import mark_late_once
from lightwell.orchestration.rules.name_flow_run_retries import name_flow_run_retries
from lightwell.orchestration.rules.name_reruns import name_reruns
from lightwell.orchestration.rules.pause_running_flow_run import pause_running_flow_run
from lightwell.orchestration.rules.pin_lease_of_old_client import pin_lease_of_old_client
from lightwell.orchestration.rules.refuse_repeated_transition import refuse_repeated_transition
from lightwell.orchestration.rules.restart_attempts_on_rerun import restart_attempts_on_rerun
from lightwell.orchestration.rules.resume_paused_flow_run import resume_paused_flow_run
from lightwell.orchestration.rules.retrieve_cached_state import retrieve_cached_state
from lightwell.orchestration.rules.retry_failed_flow_run import retry_failed_flow_run
from lightwell.orchestration.rules.retry_failed_task_run import retry_failed_task_run
from lightwell.orchestration.rules.run_inside_running_flow_run import run_inside_running_flow_run
from lightwell.orchestration.rules.secure_deployment_slot import secure_deployment_slot
from lightwell.orchestration.rules.secure_tag_slots import secure_tag_slots
from lightwell.orchestration.rules.store_cache_key import store_cache_key
from lightwell.orchestration.rules.submit_once import submit_once
from lightwell.orchestration.rules.track_flow_run_attempt import track_flow_run_attempt
from lightwell.orchestration.rules.wait_for_scheduled_time import wait_for_scheduled_time
from lightwell.orchestration.transition import FlowRun, TaskRun

FLOW_RUN_POLICY: Policy[FlowRun] = Policy(
    "flow_run",
    (
        carry_deployment_lease,
        refuse_repeated_transition,
        guard_ended_flow_run,
        keep_stored_result,
        forget_pauses_on_rerun,
        end_cancelling_as_cancelled,
        cancel_at_once_without_infrastructure,
        submit_once,
        hold_deployment_slot_at_start,
        secure_deployment_slot,
        pin_lease_of_old_client,
        mark_late_once,
        pause_running_flow_run,
        resume_paused_flow_run,
        copy_scheduled_time,
        wait_for_scheduled_time,
        retry_failed_flow_run,
    ),
    FLOW_RUN_BOOKKEEPING,
)
"""What a client proposes for a flow run."""

FORCED_FLOW_RUN_POLICY: Policy[FlowRun] = Policy(
    "forced_flow_run",
    (carry_deployment_lease, keep_stored_result, cancel_at_once_without_infrastructure),
    FLOW_RUN_BOOKKEEPING,
)
"""What is proposed with force, and the first state of a new flow run."""

LATE_FLOW_RUN_POLICY: Policy[FlowRun] = Policy(
    "late_flow_run", (carry_deployment_lease, mark_late_once, cancel_late_when_full), FLOW_RUN_BOOKKEEPING
)
"""What the server proposes for a flow run that is late."""

TASK_RUN_POLICY: Policy[TaskRun] = Policy(
    "task_run",
    (
        retrieve_cached_state,
        guard_ended_task_run,
        restart_attempts_on_rerun,
        name_flow_run_retries,
        run_inside_running_flow_run,
        secure_tag_slots,
        copy_scheduled_time,
        wait_for_scheduled_time,
        retry_failed_task_run,
        name_reruns,
        track_flow_run_attempt,
        store_cache_key,
    ),
    TASK_RUN_BOOKKEEPING,
)
"""What a client proposes for a task run."""

BACKGROUND_TASK_RUN_POLICY: Policy[TaskRun] = Policy(
    "background_task_run",
    (
        submit_once,
        retrieve_cached_state,
        guard_ended_task_run,
        restart_attempts_on_rerun,
        name_flow_run_retries,
        copy_scheduled_time,
        copy_task_parameters_id,
        wait_for_scheduled_time,
        retry_failed_task_run,
        name_reruns,
        track_flow_run_attempt,
        store_cache_key,
        enqueue_background_task_run,
    ),
    TASK_RUN_BOOKKEEPING,
)
"""What anybody proposes for a task run that is not run by whoever submitted it."""

CLIENT_ORCHESTRATED_TASK_RUN_POLICY: Policy[TaskRun] = Policy(
    "client_orchestrated_task_run",
    tuple(rule for rule in TASK_RUN_POLICY.rules if rule is not secure_tag_slots),
    TASK_RUN_BOOKKEEPING,
)
"""What a client proposes that takes the slots of its tags itself."""

FORCED_TASK_RUN_POLICY: Policy[TaskRun] = Policy("forced_task_run", (), TASK_RUN_BOOKKEEPING)
"""What is proposed with force, the first state of a new task run, and what a flow run's parent mirrors."""

POLICIES = (
    FLOW_RUN_POLICY,
    FORCED_FLOW_RUN_POLICY,
    LATE_FLOW_RUN_POLICY,
    TASK_RUN_POLICY,
    BACKGROUND_TASK_RUN_POLICY,
    CLIENT_ORCHESTRATED_TASK_RUN_POLICY,
    FORCED_TASK_RUN_POLICY,
)


def flow_run_policy(*, force: bool) -> Policy[FlowRun]:
    """The policy for a state that somebody proposes for a flow run."""
    return FORCED_FLOW_RUN_POLICY if force else FLOW_RUN_POLICY


def task_run_policy(proposed: State, *, force: bool) -> Policy[TaskRun]:
    """The policy for a state that somebody proposes for a task run; force does not matter to a background task run."""
    if proposed.state_details.deferred:
        return BACKGROUND_TASK_RUN_POLICY
    return FORCED_TASK_RUN_POLICY if force else TASK_RUN_POLICY
