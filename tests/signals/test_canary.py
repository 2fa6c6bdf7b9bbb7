"""No secret that a caller sends is in any signal."""

import httpx
import pytest
from fastapi import FastAPI

from tests.signals.conftest import Signals, talk

CANARY = "canary-5e1f"
ID = "01890a5d-ac96-774b-bcce-b302099a8057"

_HEADERS = {
    "authorization": f"Basic {CANARY}",
    "cookie": f"session={CANARY}",
    "prefect-csrf-token": CANARY,
    "prefect-automation-name": CANARY,
    "x-forwarded-for": CANARY,
}
_BODIES: list[object] = [
    {"size": 1},
    {"size": CANARY},
    {CANARY: CANARY},
    {"size": 1, "state": {"type": [CANARY]}, "labels": {CANARY: CANARY}},
    CANARY,
    [CANARY],
]


@pytest.mark.parametrize(
    "path",
    ["/api/things/", "/api/things/read/body", f"/api/things/{ID}/set_state", "/api/things/fail/unforeseen", "/nowhere"],
)
async def test_a_request_leaves_no_secret_behind(path: str, client: httpx.AsyncClient, signals: Signals) -> None:
    """Headers, query, body, names of its members: in no span, no line and no metric."""
    for body in _BODIES:
        for method in ("GET", "POST"):
            query = {"token": CANARY, CANARY: "1"}
            await client.request(method, path, json=body, params=query, headers=_HEADERS)

    assert len(signals.server_spans) == len(_BODIES) * 2
    assert CANARY not in signals.everything()


async def test_a_websocket_leaves_no_secret_behind(app: FastAPI, signals: Signals) -> None:
    """Neither its headers nor its messages nor its query."""
    async with talk(app, "prefect", headers=_HEADERS, query=f"token={CANARY}") as session:
        await session.say("auth")
        await session.say(CANARY)
        assert (await session.say("bad token"))["type"] == "websocket.close"

    assert len(signals.spans) >= 2
    assert CANARY not in signals.everything()
