"""Each case of the matrix: spans, status, route and events, and that metric, log line and span tell the same story."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from opentelemetry.trace import StatusCode

from tests.signals.conftest import Signals, http_scope, nobody, scripted
from tests.signals.story import Case, check_story

ID = "01890a5d-ac96-774b-bcce-b302099a8057"


CASES = {
    "200": Case("GET", f"/api/things/{ID}", 200, "/api/things/{thing_id}", "GET /api/things/{thing_id}"),
    "200 with a query": Case(
        "GET", f"/api/things/{ID}?q=1", 200, "/api/things/{thing_id}", "GET /api/things/{thing_id}"
    ),
    "422": Case(
        "POST", "/api/things/", 422, "/api/things/", "POST /api/things/", ["validation.failed"], json={"size": "x"}
    ),
    "409": Case(
        "GET",
        "/api/things/fail/conflict",
        409,
        "/api/things/fail/{kind}",
        "GET /api/things/fail/{kind}",
        ["integrity.conflict"],
    ),
    "404 of an object": Case(
        "GET",
        "/api/things/fail/missing",
        404,
        "/api/things/fail/{kind}",
        "GET /api/things/fail/{kind}",
        ["object.not_found"],
    ),
    "404 of no route in the child": Case("GET", "/api/nowhere", 404, None, "GET"),
    "404 of no route": Case("GET", "/nowhere", 404, None, "GET"),
    "405": Case("DELETE", f"/api/things/{ID}", 405, "/api/things/{thing_id}", "DELETE /api/things/{thing_id}"),
    "401": Case(
        "GET",
        "/api/things/fail/unauthenticated",
        401,
        "/api/things/fail/{kind}",
        "GET /api/things/fail/{kind}",
        ["request.rejected"],
    ),
    "410": Case("GET", "/api/things/fail/gone", 410, "/api/things/fail/{kind}", "GET /api/things/fail/{kind}"),
    "423": Case(
        "GET",
        "/api/things/fail/locked",
        423,
        "/api/things/fail/{kind}",
        "GET /api/things/fail/{kind}",
        ["request.rejected"],
    ),
    "500": Case(
        "GET",
        "/api/things/fail/unforeseen",
        500,
        "/api/things/fail/{kind}",
        "GET /api/things/fail/{kind}",
        ["exception"],
        "RuntimeError",
    ),
    "500 in a database thread": Case(
        "GET",
        "/api/things/fail/unit",
        500,
        "/api/things/fail/unit",
        "GET /api/things/fail/unit",
        ["exception"],
        "ValueError",
    ),
    "503 busy": Case(
        "GET",
        "/api/things/fail/busy",
        503,
        "/api/things/fail/{kind}",
        "GET /api/things/fail/{kind}",
        ["exception"],
        "lightwell.errors.Busy",
    ),
    "503 away": Case(
        "GET",
        "/api/things/fail/away",
        503,
        "/api/things/fail/{kind}",
        "GET /api/things/fail/{kind}",
        ["exception"],
        "lightwell.errors.Unavailable",
    ),
    "unknown method": Case("BREW", f"/api/things/{ID}", 405, "/api/things/{thing_id}", "HTTP /api/things/{thing_id}"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_each_case_tells_one_story(case: Case, client: httpx.AsyncClient, signals: Signals) -> None:
    """One server span, one point and one line, with the same route, status and trace."""
    check_story(case, await case.ask(client), signals)


@pytest.mark.parametrize("kind", ["unforeseen", "busy"])
async def test_a_failure_is_told_once_with_its_stack(kind: str, client: httpx.AsyncClient, signals: Signals) -> None:
    """The exception stands on the span with its stack, in one log line, and not in the answer."""
    response = await client.get(f"/api/things/fail/{kind}")

    (span,) = signals.server_spans
    (event,) = span.events
    assert event.attributes is not None
    assert "in fail" in str(event.attributes["exception.stacktrace"])
    told = [line for line in signals.lines if line["event"] in {"request.failed", "request.unavailable"}]
    assert len(told) == 1
    assert told[0]["trace_id"] == response.headers["x-trace-id"] == response.json()["trace_id"]
    assert ("stack" in told[0]) == (kind == "unforeseen")
    assert "secret" not in response.text
    assert "waiting" not in response.text
    if kind == "busy":
        assert response.headers["retry-after"] == "2"
        assert response.json()["exception_message"] == "Service Unavailable"


async def test_422_tells_places_and_types_but_never_values(client: httpx.AsyncClient, signals: Signals) -> None:
    """The caller gets its body back; telemetry has the declared names and the kinds of error."""
    body = {"size": "hunter2", "state": {"type": 5}, "labels": {"s3cret": "hunter2"}, "s3cret": 1}
    response = await client.post("/api/things/", json=body)

    answer = response.json()
    assert answer["exception_message"] == "Invalid request received."
    assert answer["request_body"] == body
    assert len(answer["exception_detail"]) == 4
    (span,) = signals.server_spans
    (event,) = span.events
    assert event.attributes is not None
    assert event.attributes["count"] == 4
    assert event.attributes["locations"] == ("body.size", "body.state.type", "body.labels.*", "body.*")
    assert "extra_forbidden" in tuple(event.attributes["types"])  # type: ignore[arg-type]
    assert signals.events("validation.failed")[0]["count"] == 4
    assert "hunter2" not in signals.everything()
    assert "s3cret" not in signals.everything()


@pytest.mark.parametrize(
    "body",
    [
        b'{"size": NaN}',
        b'{"size": "x", "labels": {"a": Infinity}}',
        b'{"size": "\\ud800"}',
        b'{"\\udfff": [1e999, "\\ud834"]}',
        b"\xff\xfe",
        b"{" * 50,
        b'{"size": ' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"size": ' + b"[" * 300 + b"]" * 300 + b"}",
    ],
    ids=["nan", "infinity", "surrogate", "surrogate key", "no utf-8", "no json", "bottomless", "deep"],
)
async def test_a_malformed_body_is_answered_422(body: bytes, client: httpx.AsyncClient, signals: Signals) -> None:
    """What no JSON library likes to echo does not crash the handler."""
    response = await client.post("/api/things/", content=body, headers={"content-type": "application/json"})

    assert response.status_code in {400, 422}
    response.json()
    assert len(signals.events("http.request")) == 1


async def test_409_tells_the_constraint_and_what_was_behind(client: httpx.AsyncClient, signals: Signals) -> None:
    """The body has the message and the trace; the event has the constraint and the driver's exception type."""
    response = await client.get("/api/things/fail/conflict")

    assert response.json() == {"detail": "It is there already.", "trace_id": response.headers["x-trace-id"]}
    (event,) = signals.server_spans[0].events
    assert dict(event.attributes or {}) == {"constraint": "uq_thing_name", "exception_type": "KeyError"}
    assert signals.events("integrity.conflict")[0]["constraint"] == "uq_thing_name"


async def test_404_of_an_object_tells_its_type(client: httpx.AsyncClient, signals: Signals) -> None:
    """The body has the message; the event has the type of the object."""
    response = await client.get("/api/things/fail/missing")

    assert response.json() == {"exception_message": "Thing 1 not found"}
    assert signals.events("object.not_found")[0]["object_type"] == "thing"


@pytest.mark.parametrize(
    ("kind", "status", "body", "header"),
    [
        ("invalid", 422, {"detail": "That makes no sense."}, None),
        ("forbidden", 403, {"detail": "No."}, None),
        ("locked", 423, {"detail": "It is full."}, ("retry-after", "2.5")),
        (
            "unauthenticated",
            401,
            {"exception_message": "Unauthorized"},
            ("www-authenticate", 'Basic realm="lightwell"'),
        ),
        ("gone", 410, {"detail": "It is gone."}, None),
    ],
)
async def test_other_rejections(
    kind: str, status: int, body: dict[str, str], header: tuple[str, str] | None, client: httpx.AsyncClient
) -> None:
    """Each kind of rejection has its status, its body and its headers."""
    response = await client.get(f"/api/things/fail/{kind}")

    assert (response.status_code, response.json()) == (status, body)
    if header is not None:
        assert response.headers[header[0]] == header[1]


async def test_a_stream_that_breaks_is_an_error_once(app: FastAPI, signals: Signals) -> None:
    """The span is ERROR with one exception; the server is told to cut the connection, and prints nothing itself."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://toy") as client:
        with pytest.raises(RuntimeError, match="broke"):
            await client.get("/api/things/stream/false")

    (span,) = signals.server_spans
    assert span.status.status_code is StatusCode.ERROR
    assert [event.name for event in span.events] == ["exception"]
    assert (span.attributes or {})["http.route"] == "/api/things/stream/{ends}"
    assert (span.attributes or {})["error.type"] == "RuntimeError"
    (line,) = signals.events("http.request")
    (point,) = signals.points("http.server.request.duration")
    assert (line["status"], point.attributes["http.response.status_code"]) == (200, 200)
    assert line["error_type"] == point.attributes["error.type"] == "RuntimeError"
    assert len([one for one in signals.lines if "stack" in one]) == 1


async def test_a_client_that_leaves_is_no_error(app: FastAPI, signals: Signals) -> None:
    """The span stays UNSET with a `client.disconnected`, which is counted."""
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": b"", "more_body": False},
        {"type": "http.disconnect"},
    ]
    await app(
        http_scope("GET", "/api/things/endless/stream"),
        scripted(messages),
        nobody,
    )

    (span,) = signals.server_spans
    assert span.status.status_code is StatusCode.UNSET
    assert [event.name for event in span.events] == ["client.disconnected"]
    assert (span.attributes or {})["http.route"] == "/api/things/endless/stream"
    (point,) = signals.points("lightwell.http.client_disconnects")
    assert (point.value, point.attributes) == (1, {"http.route": "/api/things/endless/stream"})
    assert len(signals.events("http.request")) == 1


async def test_a_client_that_leaves_before_it_was_answered_has_no_status(app: FastAPI, signals: Signals) -> None:
    """No status was sent, so none is told: not on the span, not in the metric, not in the line."""
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": b"x", "more_body": True},
        {"type": "http.disconnect"},
    ]
    await app(http_scope("POST", "/api/things/read/body"), scripted(messages), nobody)

    (span,) = signals.server_spans
    assert span.status.status_code is StatusCode.UNSET
    assert [event.name for event in span.events] == ["client.disconnected"]
    assert "http.response.status_code" not in (span.attributes or {})
    (point,) = signals.points("http.server.request.duration")
    assert "http.response.status_code" not in point.attributes
    assert signals.events("http.request")[0]["status"] is None
    assert not [line for line in signals.lines if line["level"] == "error"]


async def test_background_work_that_fails_has_a_span_of_its_own(client: httpx.AsyncClient, signals: Signals) -> None:
    """The request stays UNSET; another root is ERROR and linked to it."""
    response = await client.get("/api/things/background/true")

    assert response.status_code == 200
    (request,) = signals.server_spans
    assert request.status.status_code is StatusCode.UNSET
    assert not request.events
    (own,) = [span for span in signals.spans if span is not request]
    assert own.parent is None
    assert own.status.status_code is StatusCode.ERROR
    assert [event.name for event in own.events] == ["exception"]
    assert own.links[0].context == request.context
    (line,) = signals.events("background.failed")
    assert own.context is not None
    assert line["trace_id"] == f"{own.context.trace_id:032x}"
    assert line["route"] == "/api/things/background/{fails}"


async def test_background_work_that_ends_well_says_nothing(client: httpx.AsyncClient, signals: Signals) -> None:
    """Only the request is told."""
    await client.get("/api/things/background/false")

    assert len(signals.spans) == 1
