"""Inputs of flow runs, and resuming a paused run with or without one."""

from tests.protocol.scenario import Call, Json, Scenario
from tests.protocol.scenarios.words import MAKE_FLOW, events_of, history, make_run, propose, read

_SCHEMA = (
    '{"type": "object", "properties": {"age": {"type": "integer"}, "name": {"type": "string", "default": "n"}},'
    ' "required": ["age"]}'
)
_PAUSE: dict[str, Json] = {
    "pause_key": "k",
    "pause_timeout": "2040-01-01T00:00:00Z",
    "run_input_keyset": {"schema": "k-schema", "response": "k-response", "description": "k-description"},
}

SCENARIOS = (
    Scenario(
        name="flow-run-inputs",
        title="Inputs are texts under keys: made once, filtered by prefix, read as text, deleted",
        steps=(
            MAKE_FLOW,
            make_run(),
            Call(request="POST /flow_runs/$run/input", body={"key": "a-1", "value": '{"x": 1}'}),
            Call(request="POST /flow_runs/$run/input", body={"key": "a-1", "value": "again"}),
            Call(
                request="POST /flow_runs/$run/input",
                body={"key": "a-2", "value": "ünï", "sender": "prefect.flow-run.x"},
            ),
            Call(request="POST /flow_runs/$run/input", body={"key": "b-3", "value": ""}),
            Call(request="POST /flow_runs/$run/input", body={"key": "c"}),
            Call(request="POST /flow_runs/$run/input", body={"key": "c", "value": {"not": "text"}}),
            Call(request="POST /flow_runs/$uuid_missing/input", body={"key": "c", "value": "v"}),
            Call(request="GET /flow_runs/$run/input/a-1"),
            Call(request="GET /flow_runs/$run/input/a-2"),
            Call(request="GET /flow_runs/$run/input/b-3"),
            Call(request="GET /flow_runs/$run/input/missing"),
            Call(request="POST /flow_runs/$run/input/filter", body={"prefix": "a-"}),
            Call(request="POST /flow_runs/$run/input/filter", body={"prefix": "a-", "limit": 5}),
            Call(
                request="POST /flow_runs/$run/input/filter", body={"prefix": "a-", "limit": 5, "exclude_keys": ["a-1"]}
            ),
            Call(request="POST /flow_runs/$run/input/filter", body={"prefix": "b-", "limit": 5}),
            Call(request="POST /flow_runs/$run/input/filter", body={"prefix": "", "limit": 5}, pick=("key",)),
            Call(request="POST /flow_runs/$run/input/filter", body={}),
            Call(request="POST /flow_runs/$uuid_missing/input/filter", body={"prefix": "a-"}),
            Call(request="DELETE /flow_runs/$run/input/a-1"),
            Call(request="DELETE /flow_runs/$run/input/a-1"),
        ),
    ),
    Scenario(
        name="flow-run-resumes",
        title="Resuming lets a paused run go on without counting it again",
        steps=(
            MAKE_FLOW,
            make_run(),
            propose("RUNNING"),
            propose("PAUSED", details={"pause_key": "k", "pause_timeout": "2040-01-01T00:00:00Z"}),
            Call(request="POST /flow_runs/$run/resume", body={}),
            read(),
            propose("RUNNING"),
            read(),
            propose("PAUSED", details={"pause_key": "k", "pause_timeout": "2040-01-01T00:00:00Z"}),
            propose("COMPLETED"),
            history(),
            events_of("prefect.flow-run.$run", 6),
        ),
    ),
    Scenario(
        name="flow-run-resumes-suspended",
        title="A suspended run is scheduled for now when it is resumed",
        steps=(
            MAKE_FLOW,
            make_run(
                state={
                    "type": "PAUSED",
                    "name": "Suspended",
                    "state_details": {"pause_timeout": "2040-01-01T00:00:00Z", "pause_reschedule": True},
                }
            ),
            Call(request="POST /flow_runs/$run/resume", body={"run_input": None}),
            read(),
            propose("PENDING"),
            propose("RUNNING"),
            read(),
        ),
    ),
    Scenario(
        name="flow-run-resumes-too-late",
        title="A paused run whose time is over fails instead of going on",
        steps=(
            MAKE_FLOW,
            make_run(state={"type": "PAUSED", "state_details": {"pause_timeout": "2020-01-01T00:00:00Z"}}),
            propose("RUNNING"),
            read(),
            make_run(
                "suspended",
                state={
                    "type": "PAUSED",
                    "state_details": {"pause_timeout": "2020-01-01T00:00:00Z", "pause_reschedule": True},
                },
            ),
            Call(request="POST /flow_runs/$suspended/resume"),
            read("suspended"),
        ),
    ),
    Scenario(
        name="flow-run-resumes-with-input",
        title="An input is checked against the stored schema before the run goes on",
        steps=(
            MAKE_FLOW,
            make_run(),
            propose("RUNNING"),
            propose("PAUSED", details=_PAUSE),
            Call(request="POST /flow_runs/$run/resume", body={"run_input": {"age": 1}}),
            Call(request="POST /flow_runs/$run/input", body={"key": "k-schema", "value": _SCHEMA}),
            Call(request="POST /flow_runs/$run/resume", body={"run_input": {"age": "old"}}),
            Call(request="POST /flow_runs/$run/resume", body={"run_input": {}}),
            Call(request="POST /flow_runs/$run/resume", body={"run_input": {"age": 42, "name": "Marvin"}}),
            Call(request="GET /flow_runs/$run/input/k-response"),
            Call(request="POST /flow_runs/$run/resume", body={"run_input": {"age": 42}}),
            read(),
            make_run("bad", state={"type": "PAUSED", "state_details": _PAUSE}),
            Call(request="POST /flow_runs/$bad/input", body={"key": "k-schema", "value": "{no json"}),
            Call(request="POST /flow_runs/$bad/resume", body={"run_input": {"age": 1}}),
        ),
    ),
)
