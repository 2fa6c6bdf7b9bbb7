"""Flow runs in lists: filtered, sorted, paged, counted, over time."""

from tests.protocol.scenario import Call, Json, Scenario
from tests.protocol.scenarios.words import MAKE_FLOW, make_run, propose

_NAMES = ("name",)


def _listed(sort: str = "NAME_ASC", **flow_runs: Json) -> Call:
    return Call(
        request="POST /flow_runs/filter",
        body={"flows": {"id": {"any_": ["$flow"]}}, "flow_runs": flow_runs, "sort": sort},
        pick=_NAMES,
    )


def _later(name: str, time: str, **members: Json) -> Call:
    return make_run(name, state={"type": "SCHEDULED", "state_details": {"scheduled_time": time}}, **members)


_MAKE_RUNS = (
    MAKE_FLOW,
    _later("a", "2040-01-01T00:10:00Z", tags=["x", "y"], flow_version="1", idempotency_key="$unique-a"),
    _later("b", "2040-01-01T00:20:00Z", tags=["x"], flow_version="2"),
    make_run("c"),
    propose("RUNNING", "c"),
    make_run("d"),
    propose("RUNNING", "d"),
    propose("FAILED", "d", name="Broken"),
    make_run("e", state={"type": "CANCELLED"}),
)

SCENARIOS = (
    Scenario(
        name="flow-runs-filtered",
        title="Each filter of flow runs lets through what it says",
        steps=(
            *_MAKE_RUNS,
            _listed(),
            _listed(id={"any_": ["$a", "$uuid_missing"]}),
            _listed(id={"not_any_": ["$a", "$b"]}),
            _listed(id={"any_": []}),
            _listed(name={"any_": ["a", "e"]}),
            _listed(name={"like_": "A"}),
            _listed(name={"like_": "%"}),
            _listed(tags={"all_": ["x", "y"]}),
            _listed(tags={"any_": ["y", "z"]}),
            _listed(tags={"is_null_": True}),
            _listed(tags={"is_null_": False}),
            _listed(tags={"operator": "or_", "all_": ["y"], "is_null_": True}),
            _listed(state={"type": {"any_": ["SCHEDULED", "FAILED"]}}),
            _listed(state={"type": {"not_any_": ["SCHEDULED", "FAILED"]}}),
            _listed(state={"name": {"any_": ["Broken", "Running"]}}),
            _listed(state={"name": {"not_any_": ["Broken", "Running"]}}),
            _listed(state={"operator": "or_", "type": {"any_": ["SCHEDULED"]}, "name": {"any_": ["Broken"]}}),
            _listed(flow_version={"any_": ["1"]}),
            _listed(idempotency_key={"any_": ["$unique-a"]}),
            _listed(idempotency_key={"not_any_": ["$unique-a"]}),
            _listed(start_time={"after_": "$ago_600"}),
            _listed(start_time={"before_": "$ago_600"}),
            _listed(start_time={"is_null_": True}),
            _listed(end_time={"is_null_": False}),
            _listed(end_time={"after_": "$ago_600", "before_": "$in_600"}),
            _listed(expected_start_time={"after_": "2040-01-01T00:10:00Z"}),
            _listed(expected_start_time={"before_": "2040-01-01T00:10:00Z", "after_": "2039-01-01T00:00:00Z"}),
            _listed(next_scheduled_start_time={"before_": "2040-01-01T00:15:00Z"}),
            _listed(deployment_id={"is_null_": True}),
            _listed(deployment_id={"any_": ["$uuid_missing"]}),
            _listed(work_queue_name={"is_null_": True}),
            _listed(parent_task_run_id={"is_null_": True}),
            _listed(parent_flow_run_id={"any_": ["$a"]}),
            _listed(created_by={"is_null_": True}),
            _listed(operator="or_", name={"any_": ["a"]}, state={"type": {"any_": ["CANCELLED"]}}),
            _listed(nope={}),
            Call(
                request="POST /flow_runs/filter",
                body={"flows": {"name": {"any_": ["$unique"]}}, "flow_runs": {"name": {"any_": ["c"]}}},
                pick=_NAMES,
            ),
        ),
    ),
    Scenario(
        name="flow-runs-sorted",
        title="Each sort order of flow runs, paging and counting",
        steps=(
            *_MAKE_RUNS,
            _listed("NAME_DESC"),
            _listed("EXPECTED_START_TIME_ASC"),
            _listed("EXPECTED_START_TIME_DESC"),
            _listed("NEXT_SCHEDULED_START_TIME_ASC", next_scheduled_start_time={"after_": "2039-01-01T00:00:00Z"}),
            _listed("START_TIME_ASC", start_time={"is_null_": False}),
            _listed("START_TIME_DESC", start_time={"is_null_": False}),
            _listed("END_TIME_DESC", end_time={"is_null_": False}),
            Call(
                request="POST /flow_runs/filter",
                body={"flows": {"id": {"any_": ["$flow"]}}},
                pick=_NAMES,
                unordered=True,
            ),
            Call(
                request="POST /flow_runs/filter",
                body={"flows": {"id": {"any_": ["$flow"]}}, "sort": "NAME_ASC", "limit": 2, "offset": 1},
                pick=_NAMES,
            ),
            Call(
                request="POST /flow_runs/paginate",
                body={"flows": {"id": {"any_": ["$flow"]}}, "sort": "NAME_ASC", "limit": 2, "page": 2},
                pick=_NAMES,
            ),
            Call(
                request="POST /flow_runs/paginate",
                body={"flows": {"id": {"any_": ["$flow"]}}, "sort": "NAME_ASC", "limit": 0},
                pick=_NAMES,
            ),
            Call(request="POST /flow_runs/paginate", body={"flows": {"id": {"any_": ["$uuid_missing"]}}}),
            Call(request="POST /flow_runs/count", body={"flows": {"id": {"any_": ["$flow"]}}}),
            Call(
                request="POST /flow_runs/count",
                body={"flows": {"id": {"any_": ["$flow"]}}, "flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}},
            ),
            Call(request="POST /flow_runs/count", body={"flow_runs": {"id": {"any_": ["$uuid_missing"]}}}),
            Call(request="POST /flow_runs/lateness", body={"flow_runs": {"id": {"any_": ["$a", "$b"]}}}),
            Call(request="POST /flow_runs/lateness", body={"flow_runs": {"id": {"any_": ["$uuid_missing"]}}}),
        ),
    ),
    Scenario(
        name="flow-runs-over-time",
        title="The history counts runs by interval of their expected start and by state",
        steps=(
            *_MAKE_RUNS,
            Call(
                request="POST /flow_runs/history",
                body={
                    "history_start": "2040-01-01T00:00:00Z",
                    "history_end": "2040-01-01T00:30:00Z",
                    "history_interval_seconds": 600,
                    "flows": {"id": {"any_": ["$flow"]}},
                },
            ),
            Call(
                request="POST /flow_runs/history",
                body={
                    "history_start": "2040-01-01T00:05:00Z",
                    "history_end": "2040-01-01T00:25:00Z",
                    "history_interval_seconds": 3600,
                    "flows": {"id": {"any_": ["$flow"]}},
                },
            ),
            Call(
                request="POST /flow_runs/history",
                body={
                    "history_start": "2040-01-01T00:30:00Z",
                    "history_end": "2040-01-01T00:00:00Z",
                    "history_interval_seconds": 600,
                    "flows": {"id": {"any_": ["$flow"]}},
                },
            ),
            Call(
                request="POST /flow_runs/history",
                body={
                    "history_start": "$ago_300",
                    "history_end": "$in_300",
                    "history_interval_seconds": 600,
                    "flows": {"id": {"any_": ["$flow"]}},
                },
                mask=("sum_estimated_run_time", "sum_estimated_lateness"),
            ),
            Call(
                request="POST /ui/flow_runs/history",
                body={
                    "flows": {"id": {"any_": ["$flow"]}},
                    "flow_runs": {"state": {"type": {"any_": ["SCHEDULED", "FAILED"]}}},
                    "sort": "EXPECTED_START_TIME_ASC",
                },
                mask=("duration", "lateness"),
            ),
            Call(request="POST /ui/flow_runs/history", body={"limit": 1001}),
            Call(request="POST /ui/flows/next-runs", body={"flow_ids": ["$flow", "$uuid_missing"]}),
            Call(request="POST /ui/flows/count-deployments", body={"flow_ids": ["$flow", "$uuid_missing"]}),
            Call(request="POST /ui/flow_runs/count-task-runs", body={"flow_run_ids": ["$a", "$uuid_missing"]}),
        ),
    ),
)
