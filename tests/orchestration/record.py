"""Plays the cases against a reference server and writes what it answers: `python -m tests.orchestration.record [URL]`.

Without the URL of an API (`http://host:port/api`) it starts a reference server of its own.
"""

import json
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from tests.orchestration.cases import FLOW_RUN_CASES, TASK_RUN_CASES, Case, materialize, opening, outline
from tests.reference.serve import reference_server

OUTCOMES = Path(__file__).parent / "data" / "transitions.json"
_CLIENT = {"User-Agent": "prefect/3.8.8 (API 0.8.4)"}
_SERVICES = (
    "LATE_RUNS SCHEDULER FOREMAN PAUSE_EXPIRATIONS CANCELLATION_CLEANUP TRIGGERS EVENT_PERSISTER TASK_RUN_RECORDER"
)
_QUIET = {f"PREFECT_SERVER_SERVICES_{service}_ENABLED": "false" for service in _SERVICES.split()}
_ATTEMPTS = 8
_BUSY = 503
_DEFECT = 500

Json = dict[str, Any]


class Server:
    """A server under observation, with the flow and the deployments that runs need."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self.flow_id = self.post("/flows/", {"name": f"orchestration-{uuid4().hex[:8]}"})["id"]

    def post(self, path: str, body: Json) -> Json:
        """The answer to a request; asks again after a 503, which means a locked database."""
        response = self._client.post(path, json=body)
        for _ in range(_ATTEMPTS):
            if response.status_code != _BUSY:
                break
            response = self._client.post(path, json=body)
        if response.status_code == _DEFECT:
            return {"status": str(_DEFECT), "state": None}
        response.raise_for_status()
        return dict(response.json())

    def get(self, path: str) -> Json:
        """What is stored."""
        return dict(self._client.get(path).raise_for_status().json())

    def patch(self, path: str, body: Json) -> None:
        """Change what is stored."""
        self._client.patch(path, json=body).raise_for_status()

    def deployment(self, limit: int | None = None, strategy: str = "ENQUEUE") -> str:
        """A new deployment, with a concurrency limit where one is given."""
        body = {"name": uuid4().hex, "flow_id": self.flow_id, "concurrency_limit": limit}
        options = {"concurrency_options": {"collision_strategy": strategy}} if limit else {}
        return str(self.post("/deployments/", body | options)["id"])

    def flow_run(self, state: Json, **members: Any) -> str:
        """A new flow run."""
        return str(self.post("/flow_runs/", {"flow_id": self.flow_id, "state": state, **members})["id"])

    def task_run(self, state: Json, **members: Any) -> str:
        """A new task run."""
        body = {"task_key": "task", "dynamic_key": uuid4().hex, "state": state, **members}
        return str(self.post("/task_runs/", body)["id"])


Make = Callable[[Server, str, Json, str], str]


def main() -> None:
    """Record the outcomes of all cases."""
    with ExitStack() as stack:
        url = sys.argv[1] if len(sys.argv) > 1 else stack.enter_context(reference_server(_QUIET))
        fresh_connections = httpx.Limits(max_keepalive_connections=0)
        client = httpx.Client(base_url=url, headers=_CLIENT, timeout=15, limits=fresh_connections)
        server = Server(stack.enter_context(client))
        recorded = {
            "flow_runs": [_record(server, "flow_runs", case, _new_flow_run) for case in FLOW_RUN_CASES],
            "task_runs": [_record(server, "task_runs", case, _new_task_run) for case in TASK_RUN_CASES],
        }
    lines = {kind: ",\n".join(f"    {json.dumps(entry)}" for entry in entries) for kind, entries in recorded.items()}
    sections = ",\n".join(f'  "{kind}": [\n{text}\n  ]' for kind, text in lines.items())
    OUTCOMES.write_text(f"{{\n{sections}\n}}\n")


def _record(server: Server, resource: str, case: Case, make: Make) -> list[Any]:
    for _ in range(_ATTEMPTS):
        try:
            return _play(server, resource, case, make)
        except httpx.TransportError as error:
            # The reference server drops connections and stalls under load; a case is begun anew, on another run.
            sys.stderr.write(f"{case}: {error}\n")
    message = f"the server does not answer to {case}"
    raise RuntimeError(message)


def _play(server: Server, resource: str, case: Case, make: Make) -> list[Any]:
    key, deferred = uuid4().hex, case.kind == "background"
    first, steps = opening(case)
    run_id = make(server, case.kind, materialize(first, datetime.now(UTC), key, deferred=deferred), key)
    outcomes = []
    for step in steps:
        state = materialize(step, datetime.now(UTC), key, deferred=deferred)
        body = {"state": state, "force": step.startswith("!")}
        answer = server.post(f"/{resource}/{run_id}/set_state", body)
        outcomes.append(outline(answer["status"], answer["state"], server.get(f"/{resource}/{run_id}")))
    return [case.kind, " ".join(case.steps), outcomes]


def _new_flow_run(server: Server, kind: str, state: Json, key: str) -> str:  # noqa: ARG001 - one signature for both
    match kind:
        case "deployed":
            return server.flow_run(state, deployment_id=server.deployment())
        case "retrying":
            return server.flow_run(state, empirical_policy={"retries": 1, "retry_delay": 0})
        case "placed":
            run_id = server.flow_run(state)
            server.patch(f"/flow_runs/{run_id}", {"infrastructure_pid": "host:1"})
            return run_id
        case "inside":
            parent = server.flow_run({"type": "RUNNING"})
            return server.flow_run(state, parent_task_run_id=server.task_run({"type": "RUNNING"}, flow_run_id=parent))
        case "full_enqueue" | "full_cancel" | "free":
            deployment = server.deployment(1, "CANCEL_NEW" if kind == "full_cancel" else "ENQUEUE")
            if kind != "free":
                other = server.flow_run({"type": "SCHEDULED"}, deployment_id=deployment)
                server.post(f"/flow_runs/{other}/set_state", {"state": {"type": "PENDING"}})
            return server.flow_run(state, deployment_id=deployment)
    return server.flow_run(state)


def _new_task_run(server: Server, kind: str, state: Json, key: str) -> str:
    members: Mapping[str, Any] = {}
    if kind == "cached":
        other = server.task_run({"type": "RUNNING"})
        completed = {"type": "COMPLETED", "state_details": {"cache_key": key}}
        server.post(f"/task_runs/{other}/set_state", {"state": completed})
    elif kind == "none":
        # Limits above 0 are not recorded: on SQLite the reference server waits for itself until it gives up (503).
        tag = uuid4().hex
        server.post("/concurrency_limits/", {"tag": tag, "concurrency_limit": 0})
        members = {"tags": [tag]}
    elif kind == "retrying":
        members = {"empirical_policy": {"retries": 1, "retry_delay": 0}}
    elif kind.startswith("inside_"):
        members = {"flow_run_id": _enclosing_flow_run(server, kind)}
    return server.task_run(state, **members)


def _enclosing_flow_run(server: Server, kind: str) -> str:
    flow_run = server.flow_run({"type": "RUNNING"})
    then = {"inside_paused": ["PAUSED"], "inside_failed": ["FAILED"], "inside_retried": ["FAILED", "RUNNING"]}
    for state_type in then.get(kind, []):
        server.post(f"/flow_runs/{flow_run}/set_state", {"state": {"type": state_type}})
    return flow_run


if __name__ == "__main__":
    main()
