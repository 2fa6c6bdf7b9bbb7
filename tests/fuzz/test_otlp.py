"""Whatever is sent to `/v1/traces` is answered: taken or refused, never a failure of the server, and can be read."""

import gzip
import json
import zlib
from typing import Any, Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.wire import Answer, Served
from tests.telemetry.otlp.sending import SPAN, TRACE, attribute, binary, request, span, textual

_ANSWERS: Final = {200, 400, 413, 415, 429}
_TYPES: Final = st.sampled_from(
    ["application/x-protobuf", "application/json", "application/json; charset=utf-8", "text/plain", "", "\xff"]
)
_ENCODINGS: Final = st.sampled_from(["", "gzip", "GZIP ", "identity", "br", "\x00"])
_BODIES: Final = [write(request([span(attributes=[attribute("a", string_value="b")])])) for write in (binary, textual)]
_SCALARS: Final = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from([TRACE.hex(), SPAN.hex(), "0" * 32, "NaN", "-1", "9" * 20, "AA==", "\ud800", "\x00", "9" * 5000]),
)
_NAMES: Final = st.sampled_from(
    [
        *("resourceSpans", "scopeSpans", "spans", "resource", "scope", "attributes", "events", "links", "status"),
        *("traceId", "spanId", "parentSpanId", "name", "kind", "flags", "key", "value", "code", "message"),
        *("startTimeUnixNano", "endTimeUnixNano", "timeUnixNano", "droppedEventsCount", "values"),
        *("stringValue", "boolValue", "intValue", "doubleValue", "bytesValue", "arrayValue", "kvlistValue"),
    ]
)
_DOCUMENTS: Final = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=5), max_leaves=30
)
_CALM: Final = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck), database=None)


def send(server: Served, body: bytes, media_type: str, encoding: str = "") -> Answer:
    """The answer to a delivery."""
    headers = [(b"content-type", media_type.encode("latin-1")), (b"content-encoding", encoding.encode("latin-1"))]
    answer = server.ask("POST", "/v1/traces", body, headers if encoding else headers[:1])
    assert answer.status in _ANSWERS, answer
    return answer


@_CALM
@given(st.binary(max_size=300) | st.sampled_from(_BODIES), _TYPES, _ENCODINGS)
def test_any_octets(server: Served, body: bytes, media_type: str, encoding: str) -> None:
    """Of any type and encoding, packed as they say or not."""
    send(server, body, media_type, encoding)
    send(server, gzip.compress(body), media_type, "gzip")
    send(server, zlib.compress(body), media_type, "gzip")


@_CALM
@given(st.sampled_from(range(len(_BODIES))), st.data())
def test_nearly_right_octets(server: Served, index: int, data: st.DataObject) -> None:
    """A right delivery with a few octets changed, or cut off; what is stored can be read."""
    body = bytearray(_BODIES[index])
    for place in data.draw(st.lists(st.integers(0, len(body) - 1), max_size=5)):
        body[place] = data.draw(st.integers(0, 255))
    del body[data.draw(st.integers(0, len(body))) :]
    media_type = ("application/x-protobuf", "application/json")[index]
    send(server, bytes(body), media_type)
    packed = bytearray(gzip.compress(bytes(body)))
    packed[data.draw(st.integers(0, len(packed) - 1))] ^= 255
    send(server, bytes(packed), media_type, "gzip")
    assert server.ask("GET", "/api/telemetry/traces").status == 200


@_CALM
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(["name", "kind", "flags", "status", "links"], _DOCUMENTS)))
def test_spans_of_json(server: Served, members: dict[str, Any]) -> None:
    """A span with anything for its members; what is stored can be read as a tree."""
    sent = {"traceId": TRACE.hex(), "spanId": SPAN.hex(), "startTimeUnixNano": 1, **members}
    send(server, json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [sent]}]}]}).encode(), "application/json")
    assert server.ask("GET", f"/api/telemetry/traces/{TRACE.hex()}").status in {200, 404}


@_CALM
@given(st.dictionaries(st.just("resourceSpans") | _NAMES, _DOCUMENTS, max_size=3))
def test_documents_of_json(server: Served, document: dict[str, Any]) -> None:
    """The protocol's own names in any order and of any kind."""
    send(server, json.dumps(document).encode(), "application/json")


@_CALM
@given(st.text(max_size=20), st.floats(), st.binary(max_size=10), st.integers(0, 2**63 - 1))
def test_values_of_protobuf(server: Served, text: str, number: float, octets: bytes, instant: int) -> None:
    """Everything that an attribute can hold is stored, and read again."""
    attributes = [
        attribute(text, string_value=text),
        attribute("number", double_value=number),
        attribute("octets", bytes_value=octets),
    ]
    sent = span(name=text, start_time_unix_nano=instant, end_time_unix_nano=instant, attributes=attributes)
    assert send(server, binary(request([sent], service=text)), "application/x-protobuf").status == 200
    found = server.ask("GET", f"/api/telemetry/traces/{TRACE.hex()}")
    assert found.status == 200, found
