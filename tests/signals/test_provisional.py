"""What is said of a request's span before anybody knows whether it is kept is on the span that is exported."""

from collections.abc import Callable
from time import time_ns

import httpx
import pytest
from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext, SpanKind, StatusCode, TraceFlags

from tests.signals.conftest import Signals
from tests.signals.toy import make_app

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03"
OTHER = SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(1))


@pytest.fixture
def signals(make_signals: Callable[..., Signals]) -> Signals:
    """Signals of which only failures are kept."""
    return make_signals(0.0)


@pytest.fixture
def app(signals: Signals) -> FastAPI:
    """An application whose endpoint speaks to the present span, as an instrumented library does."""
    app = make_app(signals.telemetry.tracing)

    async def speak(outcome: str) -> None:
        span = trace.get_current_span()
        assert span.is_recording()
        span.set_attribute("one", 1)
        span.set_attributes({"two": 2, "three": [3]})
        span.add_event("began", {"n": 1})
        span.add_event("dated", None, 5)
        span.add_link(OTHER, {"why": "caused"})
        span.update_name("never seen")
        span.record_exception(ValueError("first"))
        span.set_status(StatusCode.ERROR, "so it went")
        with signals.telemetry.tracing.tracer.start_as_current_span("library"):
            pass
        if outcome == "fails":
            raise RuntimeError("a defect")

    app.add_api_route("/speak", speak)
    return app


async def _ask(app: FastAPI, outcome: str, **headers: str) -> httpx.Response:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://toy") as client:
        return await client.get("/speak", params={"outcome": outcome}, headers=headers)


async def test_a_kept_span_has_all_that_was_said(app: FastAPI, signals: Signals) -> None:
    """In its order and with its times; it began when the request came, and has the ids that the client was told."""
    before = time_ns()
    answer = await _ask(app, "fails", traceparent=CALLER)

    spans = {span.name: span for span in signals.spans}
    server, library = spans["GET /speak"], spans["library"]
    assert server.context is not None
    assert server.parent is not None
    assert f"{server.context.trace_id:032x}" == answer.headers["x-trace-id"] == CALLER[3:35]
    assert f"{server.parent.span_id:016x}" == CALLER[36:52]
    assert server.context.trace_flags.random_trace_id
    assert server.kind is SpanKind.SERVER
    attributes = dict(server.attributes or {})
    assert (attributes["one"], attributes["two"], attributes["three"]) == (1, 2, (3,))
    events = [(event.name, dict(event.attributes or {})) for event in server.events]
    assert [name for name, _ in events] == ["began", "dated", "exception"]
    assert events[0][1] == {"n": 1}
    assert events[2][1]["exception.message"] == "first"
    assert server.events[1].timestamp == 5
    assert before <= (server.start_time or 0) <= server.events[0].timestamp <= (server.end_time or 0) <= time_ns()
    (link,) = server.links
    assert (link.context, dict(link.attributes or {})) == (OTHER, {"why": "caused"})
    assert server.status.status_code is StatusCode.ERROR
    assert library.parent is not None
    assert library.parent.span_id == server.context.span_id
    assert library.context is not None
    assert library.context.trace_id == server.context.trace_id


async def test_what_is_not_kept_is_never_made(app: FastAPI, signals: Signals, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is anything left of it: not the library's span inside of it, and no root that is thought to be open."""
    started: list[str] = []
    tail = signals.telemetry.tracing.tail
    assert tail is not None
    told = tail.on_start

    def note(span: ReadableSpan, parent_context: object = None) -> None:
        started.append(span.name)
        told(span, parent_context)  # type: ignore[arg-type]

    monkeypatch.setattr(tail, "on_start", note)
    assert (await _ask(app, "is well")).status_code == 200

    assert started == ["library"]
    assert signals.spans == []
    assert tail.live_roots == 0


async def test_a_request_inside_of_a_span_of_this_process_is_its_child(app: FastAPI, signals: Signals) -> None:
    """It is no local root: who began the span around it decides, here by failing."""
    with signals.telemetry.tracing.tracer.start_as_current_span("around") as around:
        await _ask(app, "fails")
        around.set_status(StatusCode.ERROR)

    spans = {span.name: span for span in signals.spans}
    assert spans["GET /speak"].parent is not None
    assert spans["GET /speak"].parent.span_id == around.get_span_context().span_id
