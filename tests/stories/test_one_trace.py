"""A client with OpenTelemetry: what its flow and tasks did and what the server did for them stand in one trace."""

import base64
from typing import Any

from tests.cli.terminal import piped
from tests.reference.serve import PASSWORD
from tests.stories.person import Person, eventually

Spans = list[dict[str, Any]]


def test_flow_tasks_and_requests_are_one_tree(trusted_person: Person, guarded_api_url: str) -> None:
    """A client's own exporter sends its spans to the server; by the run's id all of it is found, in a default set-up.

    The server puts a trace context into the labels of the run that it makes, the client's flow span continues that, its
    task spans the flow's, and its requests say which span they are part of.
    """
    credentials = base64.b64encode(PASSWORD.encode()).decode()
    ended = trusted_person.run(
        "traced",
        OTEL_SERVICE_NAME="etl",
        OTEL_EXPORTER_OTLP_ENDPOINT=guarded_api_url.removesuffix("/api"),
        OTEL_EXPORTER_OTLP_HEADERS=f"Authorization=Basic%20{credentials}",
    )
    assert ended.status == 0, ended.output
    assert "Failed to export" not in ended.output
    run = trusted_person.flow_run("etl")
    trace_id = eventually(lambda: trace_of(trusted_person, run), bool)
    assert trace_id is not None
    trace = trusted_person.get(f"/telemetry/traces/{trace_id}")
    spans = {span["span_id"]: span for span in trace["spans"]}
    assert [span["name"] for span in trace["spans"] if span["depth"] == 0] == ["POST"]
    assert set(trace["services"]) == {"etl", "lightwell"}
    flow = one(trace["spans"], run["name"])
    assert (flow["service"], flow["attributes"]["lightwell.flow_run_id"]) == ("etl", run["id"])
    made = spans[flow["parent_id"]]
    assert (made["name"], made["service"]) == ("POST /api/flow_runs/", "lightwell")
    tasks = [span for span in trace["spans"] if span["attributes"].get("prefect.run.type") == "task"]
    assert sorted(task["name"].partition("-")[0] for task in tasks) == ["extract", "load"]
    assert all(task["parent_id"] == flow["span_id"] for task in tasks)
    begun = one(trace["spans"], "POST /api/flow_runs/{id}/set_state")
    assert flow["span_id"] in ancestors(spans, begun)
    statements = [span for span in trace["spans"] if "db.query.text" in span["attributes"]]
    assert any(flow["span_id"] in ancestors(spans, statement) for statement in statements)
    check_what_is_printed(guarded_api_url, trace_id, run)


def trace_of(person: Person, run: dict[str, Any]) -> str | None:
    """The trace that has the run's own span, once the client has sent it."""
    found = person.get(f"/telemetry/flow_runs/{run['id']}/traces")["traces"]
    own = [trace["trace_id"] for trace in found if trace["name"] == run["name"]]
    return own[0] if own else None


def one(spans: Spans, name: str) -> dict[str, Any]:
    """The first span of this name."""
    return next(span for span in spans if span["name"] == name)


def ancestors(spans: dict[str, dict[str, Any]], span: dict[str, Any]) -> set[str]:
    """The ids of all spans around one."""
    around = set()
    while (parent := span["parent_id"]) is not None:
        around.add(parent)
        span = spans[parent]
    return around


def check_what_is_printed(api_url: str, trace_id: str, run: dict[str, Any]) -> None:
    """A person sees it by the run's id and two commands: who did what, within what."""
    environment = {"LIGHTWELL_API_URL": api_url, "LIGHTWELL_API_AUTH_STRING": PASSWORD}
    assert trace_id in piped("traces", "ls", "--run", run["id"], **environment).stdout
    shown = piped("traces", "show", trace_id, **environment).stdout.splitlines()
    assert shown[0].startswith(f"Trace {trace_id}  healthy")
    labels = [line.split("  █")[0].strip() for line in shown if "█" in line]
    assert f"[etl] {run['name']}" in " ".join(labels)
    assert "[lightwell] POST /api/flow_runs/{id}/set_state" in " ".join(labels)
    assert f"flow run {run['id']}" in shown
