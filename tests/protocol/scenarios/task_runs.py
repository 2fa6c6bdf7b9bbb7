"""Task runs that are made and moved by requests: background tasks, and those that stand for subflows."""

from tests.protocol.scenario import Call, Json, Scenario
from tests.protocol.scenarios.words import MAKE_FLOW, history, make_run, propose, read


def make_task(name: str = "task", key: str = "t", dynamic_key: str = "0", **members: Json) -> Call:
    """A task run of the play's flow run."""
    return Call(
        request="POST /task_runs/",
        body={"flow_run_id": "$run", "name": name, "task_key": key, "dynamic_key": dynamic_key, **members},
        save={name: "id"},
    )


def _history(task: str = "task") -> Call:
    return Call(request=f"GET /task_run_states/?task_run_id=${task}")


def _move(type_: str, task: str = "task", **arguments: Json) -> Call:
    return propose(type_, task, kind="task_runs", **arguments)  # type: ignore[arg-type]


SCENARIOS = (
    Scenario(
        name="task-run-made",
        title="A task run is found again by its flow run, key and dynamic key: 201, then 200",
        steps=(
            MAKE_FLOW,
            make_run(tags=["r"], labels={"of": "run"}),
            make_task(tags=["x"], labels={"l": 1}, task_inputs={"p": [{"input_type": "constant", "type": "int"}]}),
            make_task("again"),
            read("task", "task_runs"),
            Call(request="GET /ui/task_runs/$task"),
            make_task(
                "other", dynamic_key="1", state={"type": "SCHEDULED", "state_details": {"scheduled_time": "$in_60"}}
            ),
            Call(
                request="POST /task_runs/",
                body={"id": "$uuid_own", "name": "own", "task_key": "t", "dynamic_key": "$unique", "flow_run_id": None},
            ),
            Call(
                request="POST /task_runs/",
                body={"id": "$uuid_own", "name": "own", "task_key": "t", "dynamic_key": "$unique", "flow_run_id": None},
            ),
            Call(
                request="POST /task_runs/", body={"task_key": "t", "dynamic_key": "2", "flow_run_id": "$uuid_missing"}
            ),
            Call(request="POST /task_runs/", body={"task_key": "t"}),
            Call(request="POST /task_runs/", body={"task_key": "t", "dynamic_key": "3", "more": 1}),
            Call(request="PATCH /task_runs/$task", body={"name": "renamed"}),
            read("task", "task_runs"),
            Call(request="PATCH /task_runs/$task", body={"tags": []}),
            Call(request="PATCH /task_runs/$uuid_missing", body={"name": "x"}),
            Call(request="GET /task_runs/nope"),
            Call(request="GET /task_runs/$uuid_missing"),
            Call(request="GET /ui/task_runs/$uuid_missing"),
            Call(request="DELETE /task_runs/$task"),
            Call(request="DELETE /task_runs/$task"),
            Call(request="POST /task_runs/$task/set_state", body={"state": {"type": "RUNNING"}}),
            Call(request="GET /task_run_states/$uuid_missing"),
            Call(request="GET /task_run_states/"),
        ),
    ),
    Scenario(
        name="task-run-through",
        title="States of a task run that are set by requests",
        steps=(
            MAKE_FLOW,
            make_run(),
            propose("RUNNING"),
            make_task(),
            _move("RUNNING", save={"state": "state.id"}),
            Call(request="GET /task_run_states/$state"),
            _move("COMPLETED", message="fine", data={"type": "reference"}),
            _move("RUNNING"),
            _move("FAILED"),
            read("task", "task_runs"),
            _history(),
        ),
    ),
    Scenario(
        name="task-run-retries",
        title="A failing task run with retries left awaits its retry; one that has ended starts anew with its flow run",
        steps=(
            MAKE_FLOW,
            make_run(),
            propose("RUNNING"),
            make_task(empirical_policy={"retries": 1, "retry_delay": 0}),
            _move("RUNNING"),
            _move("FAILED", message="once"),
            _move("RUNNING"),
            _move("FAILED", message="twice"),
            read("task", "task_runs"),
            _move("RUNNING"),
            propose("FAILED"),
            propose("RUNNING"),
            _move("RUNNING"),
            read("task", "task_runs"),
            _history(),
            make_task(
                "slow", "s", empirical_policy={"retries": 2, "retry_delay": [100, 200], "retry_jitter_factor": 0}
            ),
            _move("RUNNING", "slow"),
            _move("FAILED", "slow"),
            Call(
                request="POST /task_runs/$slow/set_state",
                body={"state": {"type": "RUNNING"}},
                mask=("delay_seconds",),
            ),
            read("slow", "task_runs"),
        ),
    ),
    Scenario(
        name="task-run-of-stopped-flow",
        title="A task run may only run while its flow run does",
        steps=(
            MAKE_FLOW,
            make_run(),
            make_task(),
            _move("RUNNING"),
            propose("RUNNING"),
            propose("PAUSED", details={"pause_key": "k", "pause_timeout": "2040-01-01T00:00:00Z"}),
            Call(
                request="POST /task_runs/$task/set_state",
                body={"state": {"type": "RUNNING"}},
                mask=("delay_seconds",),
            ),
            propose("RUNNING"),
            _move("RUNNING"),
            propose("CANCELLING"),
            _move("RUNNING"),
            _move("CANCELLED"),
            propose("CANCELLED"),
            make_task("late", "late"),
            _move("RUNNING", "late"),
            _move("PENDING", "late"),
            _move("CANCELLING", "late"),
            _move("COMPLETED", "late"),
        ),
    ),
    Scenario(
        name="task-run-cached",
        title="A completed task run with a cache key answers for a later one with the same key",
        steps=(
            MAKE_FLOW,
            make_run(),
            propose("RUNNING"),
            make_task(),
            _move("RUNNING", details={"cache_key": "$unique-key"}),
            _move(
                "COMPLETED",
                details={"cache_key": "$unique-key", "cache_expiration": "2040-01-01T00:00:00Z"},
                data={"type": "reference", "storage_key": "k"},
            ),
            make_task("second", dynamic_key="1"),
            _move("RUNNING", "second", details={"cache_key": "$unique-key"}),
            read("second", "task_runs"),
            make_task("fresh", dynamic_key="2"),
            _move("RUNNING", "fresh", details={"cache_key": "$unique-key", "refresh_cache": True}),
            make_task("expired", dynamic_key="3"),
            _move("RUNNING", "expired", details={"cache_key": "$unique-old"}),
            _move(
                "COMPLETED",
                "expired",
                details={"cache_key": "$unique-old", "cache_expiration": "2020-01-01T00:00:00Z"},
                data={"type": "reference"},
            ),
            make_task("anew", dynamic_key="4"),
            _move("RUNNING", "anew", details={"cache_key": "$unique-old"}),
        ),
    ),
    Scenario(
        name="subflow",
        title="A subflow's states are copied to the task run that stands for it",
        steps=(
            MAKE_FLOW,
            make_run(tags=["parent"]),
            propose("RUNNING"),
            make_task(tags=["stand-in"]),
            make_run("child", parent_task_run_id="$task", tags=["of-child"]),
            propose("RUNNING", "child"),
            read("task", "task_runs"),
            propose("COMPLETED", "child", message="done", data={"type": "reference"}),
            read("task", "task_runs"),
            _history(),
            history("child"),
            Call(
                request="POST /events/filter",
                body={"filter": {"resource": {"id": ["prefect.flow-run.$child"]}, "order": "ASC"}, "limit": 1},
                until={"total": 3},
                mask=("next_page",),
            ),
            Call(
                request="POST /flow_runs/filter",
                body={"flow_runs": {"parent_flow_run_id": {"any_": ["$run"]}}},
                pick=("name",),
            ),
            Call(
                request="POST /flow_runs/filter",
                body={"flow_runs": {"parent_task_run_id": {"any_": ["$task"]}}},
                pick=("name",),
            ),
            Call(
                request="POST /task_runs/filter",
                body={
                    "flow_runs": {"id": {"any_": ["$run"]}},
                    "task_runs": {"subflow_runs": {"exists_": True}},
                },
                pick=("name",),
            ),
            Call(request="GET /flow_runs/$run/graph-v2"),
            Call(request="POST /ui/flow_runs/count-task-runs", body={"flow_run_ids": ["$run"]}),
            make_run("orphan", parent_task_run_id="$uuid_missing"),
        ),
    ),
)
