"""What must never be told, and how to put it everywhere: canaries for the tests of signals and of who keeps them.

`tests/signals/test_real_canary.py` says what a caller may see again, by design.
"""

from contextlib import suppress
from typing import Any
from uuid import uuid4

import httpx
import websockets

CANARY = "Canary5e1f"
PASSWORD = f"admin:{CANARY}"
NOBODY = "01890a5d-ac96-774b-bcce-b302099a8057"
NOW = "2026-01-01T00:00:00Z"
BAG = {CANARY: [CANARY, {CANARY: CANARY}]}
HEADERS = {
    "cookie": f"session={CANARY}",
    "prefect-csrf-client": CANARY,
    "prefect-automation-name": CANARY,
    "x-forwarded-for": CANARY,
    "referer": f"http://{CANARY}",
    "baggage": f"secret={CANARY}",
    "x-api-key": CANARY,
}


def _state(kind: str, **members: Any) -> dict[str, Any]:
    details = {"pause_key": CANARY, "untrackable_result": False, "cache_key": CANARY}
    return {"type": kind, "name": kind.title(), "message": CANARY, "data": BAG, "state_details": details} | members


def a_run(flow: str) -> dict[str, Any]:
    """The body that makes a flow run, with canaries in all its members."""
    return {
        "flow_id": flow,
        "name": CANARY,
        "parameters": BAG,
        "context": BAG,
        "labels": {CANARY: CANARY},
        "tags": [CANARY],
        "job_variables": BAG,
        "idempotency_key": f"{CANARY}-{uuid4()}",
        "empirical_policy": {"retries": 1, "pause_keys": [CANARY]},
        "state": _state("SCHEDULED"),
    }


def _event() -> dict[str, Any]:
    resource = {"prefect.resource.id": CANARY, CANARY: CANARY}
    related = [resource | {"prefect.resource.role": CANARY}]
    event = {"id": str(uuid4()), "occurred": NOW, "event": CANARY, "resource": resource}
    return event | {"related": related, "payload": BAG}


def _requests(flow: str, run: str) -> list[tuple[str, str, Any]]:
    """What is accepted, what is refused, and what leads nowhere; each with canaries wherever something can be put."""
    log = {"name": CANARY, "level": 20, "message": CANARY, "timestamp": NOW, "flow_run_id": run}
    text = {"any_": [CANARY]}
    criteria = {
        "flows": {"name": text},
        "flow_runs": {"name": text | {"like_": CANARY}, "tags": {"all_": [CANARY]}, "idempotency_key": text},
    }
    here = f"/flow_runs/{run}"
    invalid: list[Any] = [CANARY, [CANARY], {CANARY: CANARY}, {"flow_id": CANARY, "state": {"type": CANARY}}]
    return [
        ("POST", "/flow_runs/", a_run(flow)),
        ("POST", "/flow_runs/", a_run(NOBODY)),
        ("PATCH", here, {"name": CANARY, "tags": [CANARY], "infrastructure_pid": CANARY, "job_variables": BAG}),
        ("POST", f"{here}/set_state", {"state": _state("PENDING")}),
        ("POST", f"{here}/set_state", {"state": _state("RUNNING")}),
        ("POST", f"{here}/set_state", {"state": _state("PAUSED")}),
        ("POST", f"{here}/resume", {"run_input": BAG}),
        ("POST", f"{here}/input", {"key": CANARY, "value": CANARY, "sender": CANARY}),
        ("POST", f"{here}/input", {"key": CANARY, "value": CANARY}),
        ("POST", f"{here}/input/filter", {"prefix": CANARY}),
        ("GET", f"{here}/input/{CANARY}", None),
        ("DELETE", f"{here}/input/{CANARY}-none", None),
        ("PATCH", f"{here}/labels", {CANARY: CANARY, "__OTEL_TRACEPARENT": CANARY}),
        ("GET", f"{here}/logs/download", None),
        ("POST", "/logs/", [log]),
        ("POST", "/logs/filter", {"logs": {"text": {"query": CANARY}}}),
        ("POST", "/events", [_event()]),
        ("POST", "/events/filter", {"filter": {"event": {"name": [CANARY]}, "resource": {"id": [CANARY]}}}),
        ("GET", f"/events/filter/next?page-token={CANARY}", None),
        ("POST", "/task_runs/", {"flow_run_id": run, "task_key": CANARY, "dynamic_key": CANARY, "tags": [CANARY]}),
        ("POST", "/concurrency_limits/", {"tag": CANARY, "concurrency_limit": 1}),
        ("GET", f"/concurrency_limits/tag/{CANARY}", None),
        ("POST", "/v2/concurrency_limits/", {"name": CANARY, "limit": 1}),
        ("POST", "/v2/concurrency_limits/increment", {"names": [CANARY], "slots": 5}),
        *[("POST", f"/flow_runs/{path}", criteria) for path in ("filter", "count", "paginate", "lateness")],
        *[("POST", path, body) for path in ("/flow_runs/", "/logs/", "/events", "/flows/") for body in invalid],
        ("GET", f"/flows/name/{CANARY}", None),
        ("GET", f"/flow_runs/{CANARY}", None),
        ("GET", f"/{CANARY}/{CANARY}?{CANARY}={CANARY}", None),
        ("PUT", f"/flows/?{CANARY}={CANARY}", None),
        ("GET", f"/csrf-token?client={CANARY}", None),
    ]


async def spread(client: httpx.AsyncClient) -> list[int]:
    """Send all of it, with credentials and without; the statuses that came back."""
    token = (await client.get("/csrf-token", params={"client": CANARY})).json()["token"]
    client.headers.update(HEADERS | {"prefect-csrf-token": token})
    labels = {"labels": {CANARY: CANARY}, "tags": [CANARY]}
    flow = (await client.post("/flows/", json={"name": CANARY} | labels)).json()["id"]
    run = (await client.post("/flow_runs/", json=a_run(flow))).json()["id"]
    answers = [await client.request(method, path, json=body) for method, path, body in _requests(flow, run)]
    answers.append(await client.get("/hello", auth=("somebody", CANARY)))
    answers.append(await client.post("/flows/", content=CANARY, headers={"content-type": "application/json"}))
    answers.append(await client.post("/flows/", headers={"prefect-csrf-token": f"{CANARY}-wrong"}))
    return [answer.status_code for answer in answers]


async def break_websockets(url: str) -> None:
    """Send what each websocket refuses, to a server at this address."""
    for path, messages in (
        ("/events/in", ['{"type": "auth", "token": "' + CANARY + '"}']),
        ("/events/in", [CANARY]),
        (
            "/events/out",
            ['{"type": "auth", "token": "' + PASSWORD + '"}', '{"type": "filter", "filter": "' + CANARY + '"}'],
        ),
        ("/logs/out", [b"\xff" + CANARY.encode()]),
    ):
        address = f"{url}{path}?token={CANARY}"
        async with websockets.connect(
            address, subprotocols=[websockets.Subprotocol("prefect")], additional_headers={"x-api-key": CANARY}
        ) as socket:
            with suppress(websockets.ConnectionClosed):
                for message in messages:
                    await socket.send(message, text=True) if isinstance(message, bytes) else await socket.send(message)
                while True:
                    await socket.recv()


def check(told: str) -> None:
    """Fail, and show the place, where a canary is told."""
    place = told.lower().find(CANARY.lower())
    assert place < 0, told[max(0, place - 300) : place + 100]
