"""Spans in OTLP's two forms: both mean the same, whatever is in them; what is too much is left out and counted."""

import json
import math
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValueList
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span, Status

from lightwell.telemetry.otlp import json_form, protobuf, shaping
from lightwell.telemetry.otlp.shaping import Form, Received, Undecodable
from lightwell.telemetry.records import StoredEvent, StoredLink, StoredSpan
from tests.telemetry.otlp.sending import SPAN, STARTED, TRACE, attribute, binary, request, span, textual

RUN = "0190a5d0-ac96-774b-bcce-b302099a8057"
PARENT = bytes.fromhex("fedcba9876543210")


def received(*spans: Span) -> Received:
    """What both forms of a request with these spans mean."""
    message = request(spans)
    by_protobuf, by_json = protobuf.FORM.decode(binary(message)), json_form.FORM.decode(textual(message))
    assert by_protobuf == by_json
    return by_protobuf


def one(sent: Span) -> StoredSpan:
    """The one span that was received."""
    (taken,) = received(sent).spans
    return taken


def test_a_span_with_all_that_a_span_can_have() -> None:
    """Nothing of it is lost, and each value has the type that it was sent with."""
    sent = span(
        parent_span_id=PARENT,
        kind=Span.SPAN_KIND_CLIENT,
        flags=0x301,
        attributes=[
            attribute("text", string_value="ä"),
            attribute("yes", bool_value=True),
            attribute("whole", int_value=2**63 - 1),
            attribute("least", int_value=-(2**63)),
            attribute("half", double_value=0.5),
            attribute("octets", bytes_value=b"\x00\xff"),
            attribute("list", array_value=ArrayValue(values=[AnyValue(int_value=1), AnyValue(string_value="b")])),
            attribute("object", kvlist_value=KeyValueList(values=[attribute("inner", bool_value=False)])),
            attribute("nothing"),
            attribute("never", double_value=math.nan),
        ],
        events=[Span.Event(time_unix_nano=STARTED + 5, name="said", attributes=[attribute("n", int_value=1)])],
        links=[Span.Link(trace_id=TRACE[::-1], span_id=PARENT, attributes=[attribute("why", string_value="so")])],
        status=Status(code=Status.STATUS_CODE_ERROR, message="it broke"),
    )

    assert one(sent) == StoredSpan(
        trace_id=TRACE.hex(),
        span_id=SPAN.hex(),
        parent_id=PARENT.hex(),
        name="work",
        started=STARTED,
        ended=STARTED + 1_000_000,
        kind="client",
        status="error",
        status_message="it broke",
        attributes={
            "text": "ä",
            "yes": True,
            "whole": 2**63 - 1,
            "least": -(2**63),
            "half": 0.5,
            "octets": "AP8=",
            "list": [1, "b"],
            "object": {"inner": False},
            "nothing": None,
            "never": "nan",
            "otel.scope.name": "a library",
        },
        events=[StoredEvent(STARTED + 5, "said", {"n": 1})],
        links=[StoredLink(TRACE[::-1].hex(), PARENT.hex(), {"why": "so"})],
        service="a client",
        instance="one",
        is_root=True,
    )


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, True),
        ({"parent_span_id": bytes(8)}, True),
        ({"parent_span_id": PARENT}, None),
        ({"parent_span_id": PARENT, "flags": 0x101}, False),
        ({"parent_span_id": PARENT, "flags": 0x301}, True),
    ],
)
def test_whether_a_span_is_the_first_of_its_process(members: dict[str, Any], expected: object) -> None:
    """It is without a parent, or with one that is said to be remote; SDKs of old do not say."""
    assert one(span(**members)).is_root is expected


@pytest.mark.parametrize(
    ("kind", "identity", "expected"),
    [
        ("flow", RUN, {"lightwell.flow_run_id": RUN}),
        ("task", RUN.upper(), {"lightwell.task_run_id": RUN}),
        ("flow", "'; drop table", {}),
        ("other", RUN, {}),
    ],
)
def test_a_run_of_the_client_is_named_in_our_words(kind: str, identity: str, expected: dict[str, str]) -> None:
    """By which the store finds the traces of a run."""
    named = {"prefect.run.type": kind, "prefect.run.id": identity}
    sent = span(attributes=[attribute(name, string_value=value) for name, value in named.items()])

    assert {name: value for name, value in one(sent).attributes.items() if name.startswith("lightwell.")} == expected


@pytest.mark.parametrize(
    "members",
    [
        {"trace_id": b""},
        {"trace_id": bytes(16)},
        {"trace_id": TRACE[:15]},
        {"span_id": bytes(8)},
        {"span_id": SPAN + b"\x01"},
        {"parent_span_id": b"\x01"},
        {"start_time_unix_nano": 2**63},
        {"end_time_unix_nano": 2**64 - 1},
    ],
)
def test_a_span_that_cannot_be_is_refused_alone(members: dict[str, Any]) -> None:
    """The others of its request are taken."""
    got = received(span(**members), span())

    assert (len(got.spans), dict(got.refused)) == (1, {"invalid": 1})


def test_a_link_to_nowhere_is_left_out() -> None:
    """And counted with what else was left out, by us and by who sent it."""
    taken = one(span(links=[Span.Link(trace_id=TRACE)], dropped_events_count=2))

    assert (taken.links, taken.attributes["lightwell.entries_dropped"]) == ([], 3)


def test_a_span_that_ends_before_it_starts_has_no_length() -> None:
    """Clocks go back."""
    assert one(span(end_time_unix_nano=5)).ended == STARTED


def test_what_is_too_much_is_cut_and_counted() -> None:
    """Attributes, events and links by number, text by length, lists by length and depth; the rest is as it came."""
    nest = AnyValue(string_value="deep")
    for _ in range(10):
        nest = AnyValue(array_value=ArrayValue(values=[nest]))
    many = [attribute(f"a{index}", int_value=index) for index in range(shaping.MOST_ATTRIBUTES - 3)]
    taken = one(
        span(
            name="n" * 5000,
            attributes=[
                attribute("long", string_value="x" * 20_000),
                attribute("list", array_value=ArrayValue(values=[AnyValue(int_value=1)] * 200)),
                attribute("nest", array_value=nest.array_value),
                *many,
                attribute("last", int_value=1),
                attribute("past", int_value=1),
            ],
            events=[Span.Event(name="e")] * 130,
            links=[Span.Link(trace_id=TRACE, span_id=SPAN)] * 131,
        )
    )

    assert len(taken.name) == shaping.LONGEST_NAME
    assert len(taken.attributes["long"]) == shaping.LONGEST_TEXT
    assert taken.attributes["list"] == [1] * shaping.MOST_ITEMS
    assert taken.attributes["nest"] == [[[[None]]]]
    assert not {"last", "past"} & set(taken.attributes)
    assert (len(taken.events), len(taken.links)) == (128, 128)
    assert taken.attributes["lightwell.entries_dropped"] == 1 + 1 + 72 + 1 + 2 + 2 + 3


def test_text_is_bounded_in_all() -> None:
    """Sixty long attributes are not kept whole."""
    taken = one(span(attributes=[attribute(f"a{index:02}", string_value="x" * 16_000) for index in range(60)]))

    kept = sum(len(key) + len(value) for key, value in taken.attributes.items() if isinstance(value, str))
    assert shaping.MOST_TEXT - 100 < kept < shaping.MOST_TEXT + 100
    assert len(taken.attributes) + taken.attributes["lightwell.entries_dropped"] == 60 + 2 + 1


def test_spans_of_one_request_are_bounded() -> None:
    """What is past the bound is refused, and the rest taken."""
    got = received(*[span()] * (shaping.MOST_SPANS + 7))

    assert (len(got.spans), dict(got.refused)) == (shaping.MOST_SPANS, {"too_many": 7})


def test_a_span_that_is_too_large_is_refused() -> None:
    """Before it is read: a megabyte of empty attributes would be thirty in memory."""
    large = span(attributes=[attribute("x", string_value="x" * shaping.LARGEST_SPAN)])
    got = protobuf.FORM.decode(binary(request([large, span()])))

    assert (len(got.spans), dict(got.refused)) == (1, {"too_large": 1})


def test_a_request_of_millions_of_empty_spans_is_given_up() -> None:
    """Sixteen megabytes of them would take gigabytes of memory, and minutes."""
    with pytest.raises(Undecodable, match="more than 200000 parts"):
        protobuf.FORM.decode(b"\x0a\x84\x80\x80\x04" + b"\x12\x00" * (4 * 1024 * 1024 + 2))


@pytest.mark.parametrize(
    "body",
    [
        b'{"resourceSpans":[{"scopeSpans":[{"spans":[' + b"{}," * 300_000 + b"{}]}]}]}",
        b'{"resourceSpans":[{"scopeSpans":[' + b"{}," * 300_000 + b"{}]}]}",
        b'{"resourceSpans":[' + b"{}," * 300_000 + b"{}]}",
    ],
    ids=["spans", "libraries", "programs"],
)
def test_a_document_of_millions_of_empty_members_is_given_up(body: bytes) -> None:
    """Likewise, before each of them is read."""
    with pytest.raises(Undecodable, match="more than 200000 parts"):
        json_form.FORM.decode(body)


@pytest.mark.parametrize(
    ("form", "body"), [(protobuf.FORM, b""), (json_form.FORM, b"{}"), (json_form.FORM, b'{"resourceSpans":null}')]
)
def test_nothing_is_a_request_too(form: Form, body: bytes) -> None:
    """An exporter with nothing to say."""
    assert form.decode(body) == Received()


def test_a_scope_may_stand_behind_its_spans() -> None:
    """The order of members on the wire is free, and those of one message may come in pieces."""
    scope = ResourceSpans.FromString(binary(request([]))[2:]).scope_spans[0].SerializeToString()
    spans = b"\x12" + bytes([span().ByteSize()]) + span().SerializeToString()
    scope_spans = spans + scope
    body = b"\x12" + bytes([len(scope_spans)]) + scope_spans

    (taken,) = protobuf.FORM.decode(b"\x0a" + bytes([len(body)]) + body).spans
    assert (taken.attributes["otel.scope.name"], taken.service) == ("a library", None)


def test_members_that_nobody_knows_are_passed_over() -> None:
    """Newer exporters say more."""
    message = request([span()])
    unknown = b"\xf8\x3f\x01" + b"\xf9\x3f" + bytes(8) + b"\xfd\x3f" + bytes(4) + b"\xfa\x3f\x01x"
    document = json.loads(textual(message))
    document["new"] = document["resourceSpans"][0]["new"] = {"a": [1]}

    assert protobuf.FORM.decode(unknown + binary(message)).spans == [one(span())]
    assert json_form.FORM.decode(json.dumps(document).encode()).spans == [one(span())]


def test_numbers_in_json_come_in_several_ways() -> None:
    """As text, as numbers, and as the names that JSON has no number for; ids in letters of either size."""
    sent = {
        "traceId": TRACE.hex().upper(),
        "spanId": SPAN.hex().upper(),
        "startTimeUnixNano": STARTED,
        "endTimeUnixNano": str(STARTED + 1),
        "attributes": [
            {"key": "a", "value": {"intValue": 5.0}},
            {"key": "b", "value": {"doubleValue": "1.5e3"}},
            {"key": "c", "value": {"doubleValue": "-Infinity"}},
            {"key": "d", "value": {"doubleValue": 7}},
            {"key": "e"},
            {"key": "f", "value": None},
        ],
    }
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [sent]}]}]}).encode()

    (taken,) = json_form.FORM.decode(body).spans
    assert (taken.trace_id, taken.span_id) == (TRACE.hex(), SPAN.hex())
    assert taken.ended - taken.started == 1
    assert taken.attributes == {"a": 5, "b": 1500.0, "c": "-inf", "d": 7.0, "e": None, "f": None}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"nonsense",
        b'{"resourceSpans":{}}',
        b'{"resourceSpans":[1]}',
        b'{"resourceSpans":[{"resource":[]}]}',
        b'{"resourceSpans":[{"scopeSpans":[{"scope":{"name":1}}]}]}',
        *(
            b'{"resourceSpans":[{"scopeSpans":[{"spans":[%s]}]}]}' % member
            for member in (
                b"1",
                b'{"name":1}',
                b'{"traceId":1}',
                b'{"kind":"SPAN_KIND_SERVER"}',
                b'{"kind":true}',
                b'{"kind":1.5}',
                b'{"startTimeUnixNano":"1e9"}',
                b'{"startTimeUnixNano":"18446744073709551616"}',
                b'{"startTimeUnixNano":-1}',
                b'{"attributes":{}}',
                b'{"attributes":[{"key":1}]}',
                b'{"attributes":[{"key":"a","value":1}]}',
                b'{"attributes":[{"key":"a","value":{"stringValue":1}}]}',
                b'{"attributes":[{"key":"a","value":{"boolValue":1}}]}',
                b'{"attributes":[{"key":"a","value":{"intValue":"9223372036854775808"}}]}',
                b'{"attributes":[{"key":"a","value":{"doubleValue":true}}]}',
                b'{"attributes":[{"key":"a","value":{"doubleValue":"1_0"}}]}',
                b'{"attributes":[{"key":"a","value":{"bytesValue":"a"}}]}',
                b'{"attributes":[{"key":"a","value":{"arrayValue":[]}}]}',
                b'{"status":{"code":"STATUS_CODE_ERROR"}}',
                b'{"events":[{"timeUnixNano":"x"}]}',
                b'{"links":[{"traceId":[]}]}',
            )
        ),
    ],
)
def test_json_that_is_no_request(body: bytes) -> None:
    """What is not of its kind makes the request undecodable, not a span strange."""
    with pytest.raises(Undecodable):
        json_form.FORM.decode(body)


@pytest.mark.parametrize(
    "body",
    [
        b"\x0a",
        b"\x0a\x05",
        b"\x0b",
        b"\x02\x00",
        b"\x09\x00",
        b"\xff" * 11,
        b"\x0a\x02\x0a\xff",
        b"\x0a\x04\x12\x02\x12\x05",
        b"\x0a\x07\x12\x05\x12\x03\x2a\x01\xff",
    ],
)
def test_octets_that_are_no_request(body: bytes) -> None:
    """Members without an end or a kind, and text that is none."""
    with pytest.raises(Undecodable):
        protobuf.FORM.decode(body)


@given(st.binary(max_size=400))
@example(b"\x0a\x05\x12\x03\x12\x01\x80")
def test_any_octets_are_a_request_or_undecodable(body: bytes) -> None:
    """Nothing else comes out, whatever comes in."""
    for form in (protobuf.FORM, json_form.FORM):
        try:
            assert isinstance(form.decode(body), Received)
        except Undecodable:
            continue


@given(st.data())
def test_a_request_with_changed_octets(data: st.DataObject) -> None:
    """Nearly right is the hardest to read."""
    form, body = data.draw(
        st.sampled_from(
            [
                (protobuf.FORM, binary(request([span(attributes=[attribute("a", string_value="b")])]))),
                (json_form.FORM, textual(request([span(attributes=[attribute("a", string_value="b")])]))),
            ]
        )
    )
    changed = bytearray(body)
    for place in data.draw(st.lists(st.integers(0, len(body) - 1), max_size=4)):
        changed[place] = data.draw(st.integers(0, 255))
    try:
        assert isinstance(form.decode(bytes(changed[: data.draw(st.integers(0, len(body)))])), Received)
    except Undecodable:
        return
