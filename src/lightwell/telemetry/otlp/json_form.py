"""OTLP in its textual form: JSON, with ids as hexadecimal digits and large numbers as text.

Written by hand, as protobuf's own JSON has ids in base64. Unknown members are passed over, null stands for what is
absent, and anything else that is not of its kind makes the whole request undecodable, all as OTLP has it.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import orjson

from lightwell.telemetry.otlp.shaping import (
    LONGEST_NAME,
    LONGEST_TEXT,
    MOST_ATTRIBUTES,
    MOST_EVENTS,
    MOST_ITEMS,
    MOST_LINKS,
    MOST_PARTS,
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
from lightwell.telemetry.records import StoredEvent, StoredLink, StoredSpan

Members = Mapping[str, Any]

_LARGEST_INTEGER: Final = 2**64 - 1
_LARGEST_VALUE: Final = 2**63 - 1
_INTEGER: Final = re.compile(r"-?\d{1,20}", re.ASCII)
_NAMED_NUMBERS: Final = frozenset({"NaN", "Infinity", "-Infinity"})
_DECIMAL: Final = re.compile(r"-?\d{1,400}(\.\d{1,400})?([eE][-+]?\d{1,4})?", re.ASCII)


def _decode(body: bytes) -> Received:
    """The spans of a request; raises Undecodable."""
    try:
        request = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Undecodable("the request is no JSON") from error
    received, left = Received(), MOST_PARTS
    for resource_spans in map(_message, _list(_of(dict, request), "resourceSpans")):
        by = origin(_attributes(_message(resource_spans.get("resource")), Draft()))
        scopes = _list(resource_spans, "scopeSpans")
        left -= 1 + len(scopes)
        for scope_spans in map(_message, scopes if left >= 0 else ()):
            spans = _list(scope_spans, "spans")
            left -= len(spans)
            _take(spans if left >= 0 else (), scope_spans, by, received)
        if left < 0:
            raise Undecodable(f"the request has more than {MOST_PARTS} parts")
    return received


def _answer(refused: int, message: str) -> bytes:
    """What whoever sent spans is answered."""
    if not refused:
        return b"{}"
    return json.dumps({"partialSuccess": {"rejectedSpans": str(refused), "errorMessage": message}}).encode()


def _problem(code: int, message: str) -> bytes:
    """What whoever sent something else is answered; `code` is one of google.rpc.Code."""
    return json.dumps({"code": code, "message": message}).encode()


def _take(spans: Sequence[Any], scope_spans: Members, by: Origin, received: Received) -> None:
    by = by.of(_text(_message(scope_spans.get("scope")), "name")[:LONGEST_NAME])
    received.look_at(spans, lambda span: _span(_message(span), by))


def _span(span: Members, by: Origin) -> StoredSpan:
    draft = Draft()
    status = _message(span.get("status"))
    lost = ("droppedAttributesCount", "droppedEventsCount", "droppedLinksCount")
    parts = Parts(
        trace_id=_text(span, "traceId").lower(),
        span_id=_text(span, "spanId").lower(),
        parent_id=_text(span, "parentSpanId").lower(),
        name=draft.text(_text(span, "name"), LONGEST_NAME),
        kind=_integer(span.get("kind")),
        flags=_integer(span.get("flags")),
        started=_integer(span.get("startTimeUnixNano")),
        ended=_integer(span.get("endTimeUnixNano")),
        status=_integer(status.get("code")),
        status_message=draft.text(_text(status, "message")),
        attributes=_attributes(span, draft),
        events=[_event(_message(event), draft) for event in draft.first(_list(span, "events"), MOST_EVENTS)],
        links=[*_links(draft.first(_list(span, "links"), MOST_LINKS), draft)],
        lost=sum(_integer(span.get(name)) for name in lost),
    )
    return made(parts, draft, by)


def _event(event: Members, draft: Draft) -> StoredEvent:
    at = min(_LARGEST_VALUE, max(0, _integer(event.get("timeUnixNano"))))
    return StoredEvent(at, draft.text(_text(event, "name"), LONGEST_NAME), _attributes(event, draft))


def _links(links: Iterable[Any], draft: Draft) -> Iterable[StoredLink]:
    for link in map(_message, links):
        try:
            trace_id, span_id, _ = identified(_text(link, "traceId").lower(), _text(link, "spanId").lower())
        except Refused:
            draft.dropped += 1
        else:
            yield StoredLink(trace_id, span_id, _attributes(link, draft))


def _attributes(holder: Members, draft: Draft) -> dict[str, Any]:
    return _pairs(_list(holder, "attributes"), draft, MOST_ATTRIBUTES, 0)


def _pairs(pairs: Sequence[Any], draft: Draft, most: int, depth: int) -> dict[str, Any]:
    return {
        draft.text(_text(pair, "key"), LONGEST_NAME): _value(_message(pair.get("value")), draft, depth)
        for pair in map(_message, draft.first(pairs, most))
        if draft.has_room()
    }


def _value(value: Members, draft: Draft, depth: int) -> Any:  # noqa: PLR0911 -- one for each kind of value
    if (text := value.get("stringValue")) is not None:
        return draft.text(_of(str, text))
    if (truth := value.get("boolValue")) is not None:
        return _of(bool, truth)
    if (integer := value.get("intValue")) is not None:
        return _integer(integer, -_LARGEST_VALUE - 1, _LARGEST_VALUE)
    if (number := value.get("doubleValue")) is not None:
        return draft.number(_number(number))
    if (octets := value.get("bytesValue")) is not None:
        return draft.text(base64.b64encode(_bytes(octets)[:LONGEST_TEXT]).decode())
    array, pairs = value.get("arrayValue"), value.get("kvlistValue")
    if (array is None and pairs is None) or draft.is_too_deep(depth):
        return None
    if array is not None:
        values = _list(_message(array), "values")
        return [_value(_message(one), draft, depth + 1) for one in draft.first(values, MOST_ITEMS)]
    return _pairs(_list(_message(pairs), "values"), draft, MOST_ITEMS, depth + 1)


def _message(value: object) -> Members:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Undecodable("there is something else where an object belongs")
    return value


def _list(holder: Members, name: str) -> Sequence[Any]:
    """The list, whose members are looked at by those who want them: there may be millions."""
    found = holder.get(name)
    if found is None:
        return ()
    if not isinstance(found, list):
        raise Undecodable(f"{name} is no list")
    return found


def _text(holder: Members, name: str) -> str:
    found = holder.get(name)
    return "" if found is None else _of(str, found)


def _integer(value: object, least: int = 0, most: int = _LARGEST_INTEGER) -> int:
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if value is None:
        return 0
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise Undecodable("there is something else where a whole number belongs")
    return value


def _number(value: object) -> float:
    if isinstance(value, str) and (value in _NAMED_NUMBERS or _DECIMAL.fullmatch(value)):
        return float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Undecodable("there is something else where a number belongs")
    return float(value)


def _bytes(value: object) -> bytes:
    try:
        return base64.b64decode(_of(str, value))
    except (binascii.Error, ValueError) as error:
        raise Undecodable("there is something else where base64 belongs") from error


def _of(kind: type, value: object) -> Any:
    if not isinstance(value, kind):
        raise Undecodable(f"there is something else where a {kind.__name__} belongs")
    return value


FORM: Final = Form(_decode, _answer, _problem)
