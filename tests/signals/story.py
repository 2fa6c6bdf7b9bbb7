"""One story, told three times: a request's span, its point of the histogram and its log line must agree."""

from dataclasses import dataclass, field
from typing import Any

import httpx
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode

from tests.signals.conftest import Signals


@dataclass(frozen=True)
class Case:
    """A request, and what must be told of it: its route, the name of its span, the span's events and `error.type`."""

    method: str
    path: str
    status: int
    route: str | None
    name: str
    events: list[str] = field(default_factory=list)
    error_type: str | None = None
    json: Any = None
    content: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)

    async def ask(self, client: httpx.AsyncClient) -> httpx.Response:
        """Send the request."""
        return await client.request(self.method, self.path, json=self.json, content=self.content, headers=self.headers)


def check_story(case: Case, response: httpx.Response, signals: Signals) -> ReadableSpan:
    """One server span, one point and one line, with the same route, status and trace; the span."""
    assert response.status_code == case.status, response.text
    (span,) = signals.server_spans
    attributes = span.attributes or {}
    trace_id = f"{span.context.trace_id:032x}" if span.context else ""
    assert (span.name, span.parent) == (case.name, None)
    assert span.status.status_code is (StatusCode.ERROR if case.status >= 500 else StatusCode.UNSET)
    assert span.status.description is None
    assert [event.name for event in span.events] == case.events
    assert attributes.get("http.route") == case.route
    assert attributes["http.response.status_code"] == case.status
    assert attributes.get("error.type") == case.error_type
    assert not [key for key in attributes if key.startswith(("url.query", "http.target"))]

    (point,) = signals.points("http.server.request.duration")
    assert point.count == 1
    assert point.attributes.get("http.route") == case.route
    assert point.attributes["http.response.status_code"] == case.status
    assert point.attributes.get("error.type") == case.error_type

    (line,) = signals.events("http.request")
    assert (line["method"], line["route"], line["status"]) == (case.method, case.route, case.status)
    assert (line["trace_id"], response.headers["x-trace-id"]) == (trace_id, trace_id)
    assert line.get("error_type") == case.error_type
    assert {one.value for one in signals.points("http.server.active_requests")} == {0}
    return span
