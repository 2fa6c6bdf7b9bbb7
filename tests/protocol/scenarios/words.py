"""Phrases that many scenarios share: make a flow and a run, propose a state, read what became of it."""

from collections.abc import Mapping

from tests.protocol.scenario import Call, Json

MAKE_FLOW = Call(request="POST /flows/", body={"name": "$unique"}, save={"flow": "id"})
"""A flow with the play's own name."""


def make_run(name: str = "run", **members: Json) -> Call:
    """A flow run of the play's flow, whose id is saved under `name`; its own name is the same word."""
    return Call(request="POST /flow_runs/", body={"flow_id": "$flow", "name": name, **members}, save={name: "id"})


def propose(
    type_: str,
    run: str = "run",
    *,
    force: bool = False,
    details: Mapping[str, Json] | None = None,
    save: Mapping[str, str] | None = None,
    kind: str = "flow_runs",
    **state: Json,
) -> Call:
    """Propose a state of this type for the run saved under `run`."""
    proposed: dict[str, Json] = {"type": type_, **state}
    if details is not None:
        proposed["state_details"] = details
    body: dict[str, Json] = {"state": proposed}
    if force:
        body["force"] = True
    return Call(request=f"POST /{kind}/${run}/set_state", body=body, save=save or {})


def read(run: str = "run", kind: str = "flow_runs") -> Call:
    """Read the run saved under `run`."""
    return Call(request=f"GET /{kind}/${run}")


def history(run: str = "run") -> Call:
    """Every state that the flow run has been in, in order."""
    return Call(request=f"GET /flow_run_states/?flow_run_id=${run}")


def events_of(resource: str, total: int) -> Call:
    """The events of this resource, oldest first, when there are as many as that."""
    return Call(
        request="POST /events/filter",
        body={"filter": {"resource": {"id": [resource]}, "order": "ASC"}},
        until={"total": total},
    )
