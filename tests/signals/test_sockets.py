"""Websockets: short spans for the handshake and each batch, a gauge, close reasons."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from opentelemetry.trace import StatusCode

from tests.signals.conftest import Signals, talk

ROUTE = "/api/things/talk"


def _open(signals: Signals) -> list[float]:
    """How many of the toy's websockets are open; the gauge is the process's, and has those of other applications."""
    points = signals.points("lightwell.websocket.open")
    return [point.value for point in points if point.attributes == {"http.route": ROUTE}]


def _attributes(span: Any) -> dict[str, Any]:
    return dict(span.attributes or {})


async def test_a_handshake_is_told_when_it_is_over_not_when_the_connection_is(app: FastAPI, signals: Signals) -> None:
    """With the subprotocol it ends with the server's first message; the socket counts as open until it closes."""
    async with talk(app, "prefect") as session:
        assert signals.spans == []
        await session.say("auth")
        (handshake,) = signals.spans
        assert _open(signals) == [1]

    assert handshake.name == f"websocket {ROUTE}"
    assert _attributes(handshake)["http.response.status_code"] == 101
    assert _open(signals) == [0]
    (closed,) = signals.events("websocket.closed")
    assert (closed["route"], closed["code"], closed["closed_by"]) == (ROUTE, 1000, "client")
    assert len(signals.spans) == 1


async def test_without_the_subprotocol_accepting_ends_the_handshake(app: FastAPI, signals: Signals) -> None:
    """An old client is told of at once."""
    async with talk(app):
        assert [span.name for span in signals.spans] == [f"websocket {ROUTE}"]


async def test_a_refusal_is_on_the_handshake_with_its_close_code(app: FastAPI, signals: Signals) -> None:
    """A wrong token: the span has the code, the counter the reason."""
    async with talk(app, "prefect") as session:
        assert await session.say("bad token") == {"type": "websocket.close", "code": 1008, "reason": "Invalid token"}

    (handshake,) = signals.spans
    assert handshake.status.status_code is StatusCode.UNSET
    assert _attributes(handshake)["lightwell.websocket.close_code"] == 1008
    assert _attributes(handshake)["lightwell.websocket.closed_by"] == "server"
    (point,) = signals.points("lightwell.websocket.closes")
    assert point.attributes == {
        "http.route": ROUTE,
        "lightwell.websocket.close_code": 1008,
        "lightwell.websocket.closed_by": "server",
    }


async def test_each_batch_is_a_root_linked_to_the_handshake(app: FastAPI, signals: Signals) -> None:
    """The work on messages is a trace of its own, whole, with the number of messages."""
    async with talk(app, "prefect") as session:
        await session.say("auth")
        for _ in range(2):
            await session.say("work")

    spans = signals.spans
    handshake = next(span for span in spans if span.name == f"websocket {ROUTE}")
    batches = [span for span in spans if span.name == f"websocket batch {ROUTE}"]
    assert len(batches) == 2
    for one in batches:
        assert one.parent is None
        assert [link.context for link in one.links] == [handshake.context]
        assert _attributes(one)["lightwell.websocket.messages"] == 2
        assert one.context is not None
        assert len([span for span in spans if span.context and span.context.trace_id == one.context.trace_id]) == 5
    assert [point.value for point in signals.points("lightwell.websocket.messages")] == [4]


@pytest.mark.parametrize("authenticated", [False, True])
async def test_an_endpoint_that_crashes_is_told_once(
    authenticated: bool,  # noqa: FBT001 -- a parameter of the test
    app: FastAPI,
    signals: Signals,
    log_lines: Callable[[], list[str]],
) -> None:
    """One line with the stack, close code 1011, one span that is ERROR: the handshake's or its own."""
    session = talk(app, "prefect")
    await session.__aenter__()
    if authenticated:
        await session.say("auth")
    await session.say("crash")
    with pytest.raises(RuntimeError, match="crashed"):
        await session.__aexit__()

    assert len([line for line in log_lines() if '"stack"' in line]) == 1
    assert signals.events("websocket.closed")[0]["code"] == 1011
    handshake, *others = signals.spans
    assert handshake.status.status_code is (StatusCode.UNSET if authenticated else StatusCode.ERROR)
    assert [(span.name, span.status.status_code) for span in others] == (
        [(f"background {ROUTE}", StatusCode.ERROR)] if authenticated else []
    )
    assert [link.context for span in others for link in span.links] == [handshake.context for _ in others]
