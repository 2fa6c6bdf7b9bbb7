"""A right body for each operation that takes one, to be made wrong in one place at a time."""

from collections.abc import Mapping
from typing import Any, Final

TIME: Final = "2026-06-01T12:00:00Z"
_ID: Final = "0b0f9a3e-6d0c-4e0e-9d5e-0123456789ab"
_STATE: Final = {
    "type": "RUNNING",
    "name": "n",
    "message": "m",
    "data": {"a": 1},
    "state_details": {
        "scheduled_time": TIME,
        "cache_key": "k",
        "cache_expiration": TIME,
        "pause_timeout": TIME,
        "pause_key": "p",
        "run_input_keyset": {"schema": "s", "response": "r"},
        "transition_id": _ID,
        "retriable": True,
    },
}
_POLICY: Final = {"max_retries": 1, "retry_delay_seconds": 1.5, "retries": 1, "retry_delay": 1, "pause_keys": ["k"]}
_RUN_CRITERIA: Final = {
    "operator": "or_",
    "id": {"any_": [_ID]},
    "name": {"any_": ["n"], "like_": "n"},
    "tags": {"operator": "and_", "all_": ["t"], "is_null_": False},
    "state": {"operator": "and_", "type": {"any_": ["RUNNING"]}, "name": {"any_": ["n"]}},
    "start_time": {"before_": TIME, "after_": TIME, "is_null_": False},
    "expected_start_time": {"before_": TIME, "after_": TIME},
}
_FILTERS: Final = {
    "flows": {"id": {"any_": [_ID]}, "name": {"any_": ["n"], "like_": "n"}, "deployment": {"is_null_": True}},
    "flow_runs": _RUN_CRITERIA
    | {
        "flow_version": {"any_": ["v"]},
        "idempotency_key": {"any_": ["k"], "not_any_": ["l"]},
        "created_by": {"id_": [_ID], "type_": ["AUTOMATION"], "is_null_": True},
        "parent_flow_run_id": {"any_": [_ID]},
    },
    "task_runs": _RUN_CRITERIA | {"subflow_runs": {"exists_": True}, "flow_run_id": {"any_": [_ID], "is_null_": False}},
    "deployments": {"id": {"any_": [_ID]}, "concurrency_limit": {"ge_": 0, "le_": 9, "is_null_": False}},
}
_PAGE: Final = {"sort": "NAME_ASC", "limit": 10, "offset": 0, "page": 1}
_HISTORY: Final = {"history_start": TIME, "history_end": TIME, "history_interval_seconds": 3600}
_EVENT: Final = {
    "id": _ID,
    "occurred": TIME,
    "event": "e",
    "resource": {"prefect.resource.id": "r", "l": "v"},
    "related": [{"prefect.resource.id": "r", "prefect.resource.role": "o"}],
    "payload": {"a": [1]},
    "follows": None,
}
_EVENT_FILTER: Final = {
    "occurred": {"since": TIME, "until": TIME},
    "event": {"prefix": ["p"], "exclude_prefix": ["q"], "name": ["n"], "exclude_name": ["o"]},
    "resource": {"id": ["i"], "id_prefix": ["p"], "labels": {"l": ["v", "!w*"]}, "distinct": True},
    "related": [{"id": ["i"], "role": ["r"], "resources_in_roles": [["i", "r"]], "labels": {"l": "v"}}],
    "any_resource": {"id": ["i"], "id_prefix": ["p"], "labels": {"l": "v"}},
    "id": {"id": [_ID]},
    "text": {"query": "a -b"},
    "order": "ASC",
}

BODIES: Final[Mapping[str, Any]] = {
    "POST /flows/": {"name": "n", "tags": ["t"], "labels": {"l": 1}},
    "PATCH /flows/{flow}": {"tags": ["t"]},
    "POST /flows/filter": _FILTERS | _PAGE,
    "POST /flows/paginate": _FILTERS | _PAGE,
    "POST /flow_runs/": {
        "flow_id": "{flow}",
        "name": "n",
        "state": _STATE,
        "parameters": {"p": 1},
        "context": {"c": 1},
        "empirical_policy": _POLICY,
        "tags": ["t"],
        "labels": {"l": 1},
        "idempotency_key": "k",
        "work_queue_name": "q",
        "job_variables": {"v": 1},
    },
    "PATCH /flow_runs/{flow_run}": {
        "name": "n",
        "flow_version": "v",
        "parameters": {"p": 1},
        "empirical_policy": _POLICY,
        "tags": ["t"],
        "infrastructure_pid": "1",
    },
    "PATCH /flow_runs/{flow_run}/labels": {"l": 1},
    "POST /flow_runs/{flow_run}/set_state": {"state": _STATE, "force": True},
    "POST /flow_runs/{flow_run}/resume": {"run_input": {"i": 1}},
    "POST /flow_runs/{flow_run}/input": {"key": "k", "value": "v", "sender": "s"},
    "POST /flow_runs/{flow_run}/input/filter": {"prefix": "p", "limit": 1, "exclude_keys": ["k"]},
    "POST /flow_runs/filter": _FILTERS | _PAGE,
    "POST /flow_runs/paginate": _FILTERS | _PAGE,
    "POST /flow_runs/lateness": _FILTERS,
    "POST /flow_runs/history": _FILTERS | _HISTORY,
    "POST /task_runs/": {
        "flow_run_id": "{flow_run}",
        "task_key": "t",
        "dynamic_key": "d",
        "cache_key": "c",
        "cache_expiration": TIME,
        "state": _STATE,
        "tags": ["t"],
        "labels": {"l": 1},
        "empirical_policy": {"retries": 1, "retry_delay": [1, 2.5], "retry_jitter_factor": 0.5},
        "task_inputs": {"x": [{"input_type": "task_run", "id": _ID}, {"input_type": "constant", "type": "int"}]},
    },
    "PATCH /task_runs/{task_run}": {"name": "n"},
    "POST /task_runs/{task_run}/set_state": {"state": _STATE, "force": True},
    "POST /task_runs/filter": _FILTERS | _PAGE,
    "POST /task_runs/history": _FILTERS | _HISTORY,
    "POST /logs/": [{"name": "n", "level": 20, "message": "m", "timestamp": TIME, "flow_run_id": "{flow_run}"}],
    "POST /logs/filter": {
        "logs": {"level": {"ge_": 1}, "timestamp": {"after_": TIME}, "text": {"query": "a"}},
        "sort": "TIMESTAMP_ASC",
        "limit": 1,
    },
    "POST /events": [_EVENT],
    "POST /events/filter": {"filter": _EVENT_FILTER, "limit": 5},
    "POST /events/count-by/time": {"filter": _EVENT_FILTER, "time_unit": "day", "time_interval": 1},
    "POST /events/count-by/resource": {"filter": _EVENT_FILTER, "time_unit": "day", "time_interval": 1},
    "POST /concurrency_limits/": {"tag": "t", "concurrency_limit": 1},
    "POST /concurrency_limits/increment": {"names": ["t"], "task_run_id": _ID},
    "POST /v2/concurrency_limits/": {"name": "n", "limit": 1, "slot_decay_per_second": 0.5, "active_slots": 1},
    "PATCH /v2/concurrency_limits/{limit}": {"active": True, "limit": 1, "denied_slots": 1},
    "POST /v2/concurrency_limits/increment": {"slots": 1, "names": ["n"], "mode": "rate_limit"},
    "POST /v2/concurrency_limits/increment-with-lease": {
        "slots": 1,
        "names": ["n"],
        "lease_duration": 60,
        "holder": {"type": "flow_run", "id": _ID},
    },
    "POST /v2/concurrency_limits/decrement": {"slots": 1, "names": ["n"], "occupancy_seconds": 0.5},
    "POST /v2/concurrency_limits/leases/{lease}/renew": {"lease_duration": 60},
    "POST /ui/flow_runs/history": _FILTERS | {"sort": "ID_DESC", "limit": 9, "offset": 0},
    "POST /ui/flows/next-runs": {"flow_ids": ["{flow}"]},
    "POST /ui/task_runs/dashboard/counts": {"task_runs": {"start_time": {"after_": TIME, "before_": TIME}}},
}
"""By method and path, in which `{kind}` stands for the id of an object that exists."""
