"""Requests of OTLP as SDKs make them, in both forms."""

import base64
import json
from collections.abc import Iterable
from typing import Any

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

TRACE = bytes.fromhex("0123456789abcdef0123456789abcdef")
SPAN = bytes.fromhex("0123456789abcdef")
STARTED = 1_700_000_000_000_000_000

_IDS = frozenset({"traceId", "spanId", "parentSpanId"})


def span(**members: Any) -> Span:
    """A span with what a span must have, and these members."""
    given: dict[str, Any] = {
        "trace_id": TRACE,
        "span_id": SPAN,
        "name": "work",
        "start_time_unix_nano": STARTED,
        "end_time_unix_nano": STARTED + 1_000_000,
    }
    return Span(**(given | members))


def attribute(key: str, **value: Any) -> KeyValue:
    """An attribute, whose value is one member of `AnyValue`."""
    return KeyValue(key=key, value=AnyValue(**value))


def request(spans: Iterable[Span], *, service: str = "a client", scope: str = "a library") -> ExportTraceServiceRequest:
    """A request with these spans of one program."""
    resource = Resource(
        attributes=[
            attribute("service.name", string_value=service),
            attribute("service.instance.id", string_value="one"),
        ]
    )
    scope_spans = ScopeSpans(scope=InstrumentationScope(name=scope), spans=spans)
    return ExportTraceServiceRequest(resource_spans=[ResourceSpans(resource=resource, scope_spans=[scope_spans])])


def binary(message: ExportTraceServiceRequest) -> bytes:
    """The request in the binary form."""
    return message.SerializeToString()


def textual(message: ExportTraceServiceRequest) -> bytes:
    """The request as JSON: protobuf's own, but with ids as OTLP has them."""
    return json.dumps(_with_hexadecimal_ids(MessageToDict(message, use_integers_for_enums=True))).encode()


def _with_hexadecimal_ids(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_hexadecimal_ids(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        key: base64.b64decode(one).hex() if key in _IDS else _with_hexadecimal_ids(one) for key, one in value.items()
    }
