"""OTLP by hand, as JSON: what somebody else than the server would send."""

import secrets
import time
from typing import Any, Final

import httpx

from tests.collector.real import Collector

_SECOND: Final = 1_000_000_000


def span(name: str, trace_id: str, **members: Any) -> dict[str, Any]:
    """A healthy span that took a millisecond and ended now."""
    now = time.time_ns()
    return {
        "traceId": trace_id,
        "spanId": secrets.token_hex(8),
        "name": name,
        "kind": 1,
        "startTimeUnixNano": str(now - _SECOND // 1000),
        "endTimeUnixNano": str(now),
    } | members


def seconds_long(seconds: float) -> dict[str, str]:
    """The times of a span that took so long."""
    now = time.time_ns()
    return {"startTimeUnixNano": str(now - int(seconds * _SECOND)), "endTimeUnixNano": str(now)}


def trace_id(low: int | None = None) -> str:
    """A new trace id."""
    return secrets.token_hex(16) if low is None else f"{secrets.token_hex(8)}{low:016x}"


def send_spans(collector: Collector, *spans: dict[str, Any], scope: str = "somebody", service: str = "other") -> None:
    """Send spans of one service and one scope, in one batch."""
    body = {"resourceSpans": [_of(service, "scopeSpans", scope, "spans", spans)]}
    _send(collector, "/v1/traces", body)


def send_log(collector: Collector, body: str, in_trace: str) -> None:
    """Send one log record of a warning."""
    record = {
        "timeUnixNano": str(time.time_ns()),
        "severityNumber": 13,
        "severityText": "WARN",
        "traceId": in_trace,
        "spanId": secrets.token_hex(8),
        "body": {"stringValue": body},
    }
    _send(collector, "/v1/logs", {"resourceLogs": [_of("other", "scopeLogs", "somebody", "logRecords", (record,))]})


def _of(service: str, scopes: str, scope: str, entries: str, content: Any) -> dict[str, Any]:
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}
    return {"resource": resource, scopes: [{"scope": {"name": scope}, entries: list(content)}]}


def _send(collector: Collector, path: str, body: dict[str, Any]) -> None:
    response = httpx.post(f"{collector.address}{path}", json=body)
    assert response.status_code == 200, response.text
