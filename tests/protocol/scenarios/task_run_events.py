"""Task runs that come as events over the websocket, as today's client sends them."""

from collections.abc import Mapping

from tests.protocol.scenario import Call, Json, Ping, Receive, Refused, Scenario, Send, Socket
from tests.protocol.scenarios.words import MAKE_FLOW, make_run, propose, read

_AUTH = Send(frame={"type": "auth", "token": None})
_DAY = "2030-01-01T00"


def _event(
    state: str,
    at: str,
    count: int,
    *,
    task: str = "uuid_task",
    run: Mapping[str, Json] | None = None,
    details: Mapping[str, Json] | None = None,
) -> Send:
    """What the client sends when a task run has changed its state, at a minute and second of one hour."""
    occurred = f"{_DAY}:{at}Z"
    members: dict[str, Json] = {
        "name": f"name-of-{task}",
        "task_key": f"key-{task}",
        "dynamic_key": f"dynamic-{task}",
        "empirical_policy": {"max_retries": 0, "retry_delay_seconds": 0.0, "retries": 0, "retry_delay": 0},
        "tags": ["a"],
        "labels": {"l": "1"},
        "task_inputs": {"x": []},
        "run_count": count,
        "flow_run_run_count": 1,
        "expected_start_time": f"{_DAY}:00:00Z",
        "total_run_time": 0.0,
    }
    return Send(
        frame={
            "id": f"$uuid_{task}_{state}_{at.replace(':', '_')}",
            "occurred": occurred,
            "event": f"prefect.task-run.{state}",
            "resource": {
                "prefect.resource.id": f"prefect.task-run.${task}",
                "prefect.resource.name": f"name-of-{task}",
                "prefect.run-count": str(count),
                "prefect.state-message": "",
                "prefect.state-name": state,
                "prefect.state-timestamp": occurred,
                "prefect.state-type": state.upper(),
                "prefect.orchestration": "client",
            },
            "related": [
                {"prefect.resource.id": "prefect.flow-run.$run", "prefect.resource.role": "flow-run"},
            ],
            "payload": {
                "intended": {"from": None, "to": state.upper()},
                "initial_state": None,
                "validated_state": {
                    "type": state.upper(),
                    "name": state,
                    "message": f"m {state}",
                    "state_details": details or {},
                    "data": None,
                },
                "task_run": members | dict(run or {}),
            },
            "follows": None,
        }
    )


def _sent(*frames: Send) -> Socket:
    return Socket(path="/events/in", frames=(_AUTH, Receive(), *frames, Ping()))


def _settled(state: str, task: str = "uuid_task") -> Call:
    return Call(request=f"GET /task_runs/${task}", until={"state.name": state})


def _history(total: int, task: str = "uuid_task") -> Call:
    return Call(request=f"GET /task_run_states/?task_run_id=${task}", until={"#": total})


def _listed(sort: str, task_runs: Json = None) -> Call:
    return Call(
        request="POST /task_runs/filter",
        body={"flow_runs": {"id": {"any_": ["$run"]}}, "sort": sort, "task_runs": task_runs},
        pick=("name",),
    )


_PENDING = _event("Pending", "00:01", 0)
_RUNNING = _event("Running", "00:02", 1, run={"start_time": f"{_DAY}:00:02Z"})
_COMPLETED = _event(
    "Completed",
    "00:05",
    1,
    run={"start_time": f"{_DAY}:00:02Z", "end_time": f"{_DAY}:00:05Z", "total_run_time": 3.0},
    details={"untrackable_result": True},
)

SCENARIOS = (
    Scenario(
        name="task-run-events",
        title="Events of a task run make it readable, with its states and times",
        steps=(
            MAKE_FLOW,
            make_run(),
            propose("RUNNING"),
            _sent(_PENDING, _RUNNING, _COMPLETED),
            _settled("Completed"),
            _history(3),
            Call(request="GET /ui/task_runs/$uuid_task"),
            Call(
                request="POST /events/filter",
                body={
                    "filter": {
                        "event": {"prefix": ["prefect.task-run."]},
                        "resource": {"id": ["prefect.task-run.$uuid_task"]},
                        "occurred": {"since": "2029-12-31T00:00:00Z", "until": "2030-01-02T00:00:00Z"},
                        "order": "ASC",
                    }
                },
                until={"total": 3},
            ),
        ),
    ),
    Scenario(
        name="task-run-events-disordered",
        title="Events that come late or twice do not turn a task run back, and are kept in its history once",
        steps=(
            MAKE_FLOW,
            make_run(),
            propose("RUNNING"),
            _sent(_COMPLETED),
            _settled("Completed"),
            _sent(_RUNNING, _PENDING, _COMPLETED, _RUNNING),
            _history(3),
            read("uuid_task", "task_runs"),
        ),
    ),
    Scenario(
        name="task-run-events-same-key",
        title="A task run with the key of one that is stored is the same task run",
        steps=(
            MAKE_FLOW,
            make_run(),
            propose("RUNNING"),
            _sent(_PENDING),
            _settled("Pending"),
            _sent(
                _event(
                    "Running",
                    "00:03",
                    1,
                    task="uuid_double",
                    run={"task_key": "key-uuid_task", "dynamic_key": "dynamic-uuid_task"},
                )
            ),
            _settled("Running"),
            _history(2),
            Call(request="GET /task_runs/$uuid_double"),
        ),
    ),
    Scenario(
        name="task-run-lists",
        title="Task runs are filtered, sorted, counted, and shown over time and as a graph",
        steps=(
            MAKE_FLOW,
            make_run(),
            propose("RUNNING"),
            _sent(
                _PENDING,
                _RUNNING,
                _COMPLETED,
                _event(
                    "Running",
                    "10:00",
                    1,
                    task="uuid_later",
                    run={
                        "tags": [],
                        "start_time": f"{_DAY}:10:00Z",
                        "expected_start_time": f"{_DAY}:09:00Z",
                        "task_inputs": {"x": [{"input_type": "task_run", "id": "$uuid_task"}]},
                    },
                ),
                _event(
                    "Failed",
                    "11:00",
                    2,
                    task="uuid_failed",
                    run={
                        "start_time": f"{_DAY}:10:30Z",
                        "end_time": f"{_DAY}:11:00Z",
                        "expected_start_time": f"{_DAY}:10:00Z",
                        "total_run_time": 30.0,
                        "task_inputs": {"x": [{"input_type": "task_run", "id": "$uuid_later"}], "y": []},
                    },
                ),
            ),
            Call(request="POST /task_runs/count", body={"flow_runs": {"id": {"any_": ["$run"]}}}, until={"": 3}),
            _listed("NAME_ASC"),
            _listed("NAME_DESC"),
            _listed("EXPECTED_START_TIME_ASC"),
            _listed("EXPECTED_START_TIME_DESC"),
            _listed("END_TIME_DESC", {"end_time": {"is_null_": False}}),
            _listed("NAME_ASC", {"id": {"any_": ["$uuid_later"]}}),
            _listed("NAME_ASC", {"name": {"like_": "LATER"}}),
            _listed("NAME_ASC", {"name": {"any_": ["name-of-uuid_task"]}}),
            _listed("NAME_ASC", {"tags": {"all_": ["a"]}}),
            _listed("NAME_ASC", {"tags": {"is_null_": True}}),
            _listed("NAME_ASC", {"state": {"type": {"any_": ["FAILED"]}}}),
            _listed("NAME_ASC", {"state": {"name": {"any_": ["Running"]}}}),
            _listed("NAME_ASC", {"start_time": {"after_": f"{_DAY}:10:00Z"}}),
            _listed("NAME_ASC", {"end_time": {"before_": f"{_DAY}:00:05Z"}}),
            _listed("NAME_ASC", {"end_time": {"is_null_": True}}),
            _listed("NAME_ASC", {"expected_start_time": {"after_": f"{_DAY}:09:00Z"}}),
            _listed("NAME_ASC", {"subflow_runs": {"exists_": False}}),
            _listed("NAME_ASC", {"flow_run_id": {"is_null_": True}}),
            _listed("NAME_ASC", {"flow_run_id": {"any_": ["$run"]}}),
            _listed(
                "NAME_ASC",
                {"operator": "or_", "id": {"any_": ["$uuid_task"]}, "state": {"name": {"any_": ["Failed"]}}},
            ),
            _listed("NAME_ASC", {"nope": 1}),
            Call(
                request="POST /task_runs/paginate",
                body={"flow_runs": {"id": {"any_": ["$run"]}}, "sort": "NAME_ASC", "limit": 2, "page": 2},
                pick=("name",),
            ),
            Call(
                request="POST /task_runs/history",
                body={
                    "history_start": f"{_DAY}:00:00Z",
                    "history_end": f"{_DAY}:20:00Z",
                    "history_interval_seconds": 600,
                    "flow_runs": {"id": {"any_": ["$run"]}},
                },
                mask=("sum_estimated_run_time",),
            ),
            Call(request="POST /ui/task_runs/count", body={"flow_runs": {"id": {"any_": ["$run"]}}}),
            Call(
                request="POST /ui/task_runs/dashboard/counts",
                body={
                    "flow_runs": {"id": {"any_": ["$run"]}},
                    "task_runs": {"start_time": {"after_": f"{_DAY}:00:00Z", "before_": f"{_DAY}:19:59Z"}},
                },
            ),
            Call(request="POST /ui/task_runs/dashboard/counts", body={"task_runs": {}}),
            Call(request="POST /ui/flow_runs/count-task-runs", body={"flow_run_ids": ["$run"]}),
            Call(request="GET /flow_runs/$run/graph", mask=("estimated_run_time",), unordered=True),
            Call(request="GET /flow_runs/$run/graph-v2"),
            Call(request="GET /flow_runs/$run/graph-v2?since=2030-01-01T00:10:30Z"),
            Call(
                request="POST /flow_runs/filter",
                body={"task_runs": {"id": {"any_": ["$uuid_failed"]}}},
                pick=("name",),
            ),
            Call(
                request="POST /flow_runs/count",
                body={"task_runs": {"id": {"any_": ["$uuid_failed", "$uuid_task"]}}},
            ),
        ),
    ),
    Scenario(
        name="events-in-handshake",
        title="How a connection for incoming events begins, and what ends it",
        steps=(
            Socket(path="/events/in", frames=(_AUTH, Receive(), Ping())),
            Socket(path="/events/in", frames=(Send(frame={"type": "auth", "token": "any"}), Receive(), Ping())),
            Socket(path="/events/in", frames=(Ping(), Send(frame={"type": "filter"}), Refused())),
            Socket(path="/events/in", frames=(Send(frame="no json"), Refused())),
            Socket(path="/events/in", frames=(_AUTH, Receive(), Send(frame={"not": "an event"}), Refused())),
            Socket(path="/events/in", subprotocols=(), frames=(Ping(),)),
            Socket(path="/events/nowhere"),
        ),
    ),
)
