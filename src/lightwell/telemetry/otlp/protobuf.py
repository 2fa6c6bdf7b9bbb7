"""OTLP in its binary form. Loaded by those who receive it: the messages' classes take 6 MB."""

import base64
from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeVar

from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from lightwell.telemetry.otlp.shaping import (
    LARGEST_SPAN,
    LONGEST_NAME,
    LONGEST_TEXT,
    MOST_ATTRIBUTES,
    MOST_EVENTS,
    MOST_ITEMS,
    MOST_LINKS,
    Draft,
    Form,
    Origin,
    Parts,
    Received,
    Refused,
    Undecodable,
    identified,
    made,
    origin,
)
from lightwell.telemetry.otlp.wire import Wire, written
from lightwell.telemetry.records import StoredEvent, StoredLink, StoredSpan

M = TypeVar("M", bound=Message)

_RESOURCE_SPANS: Final = 1
_RESOURCE, _SCOPE_SPANS = 1, 2
_SCOPE, _SPANS = 1, 2
_CODE: Final = 1 << 3
_MESSAGE: Final = 2 << 3 | 2
"""The members of google.rpc.Status, a number and a text, as they are announced on the wire."""


def _decode(body: bytes) -> Received:
    """The spans of a request; raises Undecodable."""
    received, wire = Received(), Wire(body)
    for number, resource_spans in wire.members(wire.whole):
        if number == _RESOURCE_SPANS:
            _take_resource_spans(wire, resource_spans, received)
    return received


def _answer(refused: int, message: str) -> bytes:
    """What whoever sent spans is answered."""
    response = ExportTraceServiceResponse()
    if refused:
        response.partial_success.rejected_spans = refused
        response.partial_success.error_message = message
    return bytes(response.SerializeToString())


def _problem(code: int, message: str) -> bytes:
    """What whoever sent something else is answered; `code` is one of google.rpc.Code."""
    text = message.encode()
    return bytes((_CODE, code, _MESSAGE)) + written(len(text)) + text


def _take_resource_spans(wire: Wire, resource_spans: memoryview, received: Received) -> None:
    by, scopes = Origin(), []
    for number, part in wire.members(resource_spans):
        if number == _RESOURCE:
            by = origin(_attributes(_parsed(Resource, part).attributes, Draft()))
        elif number == _SCOPE_SPANS:
            scopes.append(part)
    for scope_spans in scopes:
        _take_scope_spans(wire, scope_spans, by, received)


def _take_scope_spans(wire: Wire, scope_spans: memoryview, by: Origin, received: Received) -> None:
    # A scope may stand behind its spans, so they are found first and read then.
    found = []
    for number, part in wire.members(scope_spans):
        if number == _SCOPE:
            by = by.of(_parsed(InstrumentationScope, part).name[:LONGEST_NAME])
        elif number == _SPANS:
            found.append(part)
    received.look_at(found, lambda part: _span(part, by))


def _parsed(kind: type[M], part: memoryview) -> M:
    if len(part) > LARGEST_SPAN:
        raise Undecodable(f"a part is larger than {LARGEST_SPAN} bytes")
    try:
        parsed: M = kind.FromString(bytes(part))
    except DecodeError as error:
        raise Undecodable(f"a {kind.__name__} cannot be read") from error
    return parsed


def _span(part: memoryview, by: Origin) -> StoredSpan:
    if len(part) > LARGEST_SPAN:
        raise Refused("too_large")
    span, draft = _parsed(Span, part), Draft()
    parts = Parts(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        name=draft.text(span.name, LONGEST_NAME),
        kind=span.kind,
        flags=span.flags,
        started=span.start_time_unix_nano,
        ended=span.end_time_unix_nano,
        status=span.status.code,
        status_message=draft.text(span.status.message),
        attributes=_attributes(span.attributes, draft),
        events=[_event(event, draft) for event in draft.first(span.events, MOST_EVENTS)],
        links=[*_links(draft.first(span.links, MOST_LINKS), draft)],
        lost=span.dropped_attributes_count + span.dropped_events_count + span.dropped_links_count,
    )
    return made(parts, draft, by)


def _event(event: Span.Event, draft: Draft) -> StoredEvent:
    name = draft.text(event.name, LONGEST_NAME)
    return StoredEvent(min(event.time_unix_nano, 2**63 - 1), name, _attributes(event.attributes, draft))


def _links(links: Iterable[Span.Link], draft: Draft) -> Iterable[StoredLink]:
    for link in links:
        try:
            trace_id, span_id, _ = identified(link.trace_id.hex(), link.span_id.hex())
        except Refused:
            draft.dropped += 1
        else:
            yield StoredLink(trace_id, span_id, _attributes(link.attributes, draft))


def _attributes(pairs: Sequence[KeyValue], draft: Draft, most: int = MOST_ATTRIBUTES, depth: int = 0) -> dict[str, Any]:
    return {
        draft.text(pair.key, LONGEST_NAME): _value(pair.value, draft, depth)
        for pair in draft.first(pairs, most)
        if draft.has_room()
    }


def _value(value: AnyValue, draft: Draft, depth: int) -> Any:
    kind = value.WhichOneof("value")
    if kind == "string_value":
        return draft.text(value.string_value)
    if kind == "double_value":
        return draft.number(value.double_value)
    if kind == "bytes_value":
        return draft.text(base64.b64encode(value.bytes_value[:LONGEST_TEXT]).decode())
    if kind in {"array_value", "kvlist_value"}:
        return None if draft.is_too_deep(depth) else _group(value, draft, depth + 1)
    return getattr(value, kind) if kind in {"bool_value", "int_value"} else None


def _group(value: AnyValue, draft: Draft, depth: int) -> Any:
    if value.HasField("kvlist_value"):
        return _attributes(value.kvlist_value.values, draft, MOST_ITEMS, depth)
    return [_value(one, draft, depth) for one in draft.first(value.array_value.values, MOST_ITEMS)]


FORM: Final = Form(_decode, _answer, _problem)
