"""What is recorded for every state that is written: `FLOW_RUN_BOOKKEEPING` and `TASK_RUN_BOOKKEEPING`, in order."""

from lightwell.orchestration.bookkeeping.counts import count_flow_run_attempt, count_task_run_attempt, forget_resuming
from lightwell.orchestration.bookkeeping.identity import (
    name_flow_run_in_state,
    name_task_run_in_state,
    order_states_in_time,
    record_state,
)
from lightwell.orchestration.bookkeeping.slots import release_deployment_slot, release_tag_slots
from lightwell.orchestration.bookkeeping.subflows import mirror_to_parent
from lightwell.orchestration.bookkeeping.times import (
    add_run_time,
    clear_end,
    record_end,
    record_expected_start,
    record_next_scheduled_start,
    record_start,
)

_TIMES = (record_start, clear_end, record_end, add_run_time, record_expected_start, record_next_scheduled_start)

FLOW_RUN_BOOKKEEPING = (
    order_states_in_time,
    record_state,
    *_TIMES,
    name_flow_run_in_state,
    count_flow_run_attempt,
    forget_resuming,
    mirror_to_parent,
    release_deployment_slot,
)
TASK_RUN_BOOKKEEPING = (
    record_state,
    *_TIMES,
    name_task_run_in_state,
    count_task_run_attempt,
    release_tag_slots,
)
