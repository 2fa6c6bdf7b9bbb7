"""Trace contexts in labels: what the server writes there and what it reads."""

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from lightwell.instrumentation.recording import current
from lightwell.instrumentation.traceparent import link_run, make_traceparent, parse_traceparent

TEXT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03"


def test_a_fresh_one_is_valid_and_sampled() -> None:
    """Outside of any trace each call begins a trace of its own, that the client will sample."""
    first, second = parse_traceparent(make_traceparent()), parse_traceparent(make_traceparent())

    assert first is not None
    assert second is not None
    assert first.trace_id != second.trace_id
    assert first.trace_flags == 1


def test_inside_a_span_it_continues_that() -> None:
    """The run's trace is the trace of the request that made the run."""
    with TracerProvider(shutdown_on_exit=False).get_tracer("test").start_as_current_span("request"):
        context = trace.get_current_span().get_span_context()
        parsed = parse_traceparent(make_traceparent())

    assert parsed is not None
    assert (parsed.trace_id, parsed.span_id) == (context.trace_id, context.span_id)


@pytest.mark.parametrize(
    "text",
    [
        None,
        5,
        "",
        "00",
        TEXT.upper(),
        f"ff{TEXT[2:]}",
        TEXT.replace("0af7651916cd43dd8448eb211c80319c", "0" * 32),
        f"{TEXT}\n",
    ],
)
def test_what_is_none_is_none(text: object) -> None:
    """Anything but a W3C traceparent is ignored."""
    assert parse_traceparent(text) is None


def test_the_random_bit_does_not_hide_the_sampled_one() -> None:
    """Flags 03, as SDKs write them now, are sampled."""
    parsed = parse_traceparent(TEXT)

    assert parsed is not None
    assert parsed.trace_flags == 1


def test_linking_outside_of_a_request_does_nothing() -> None:
    """Neither without labels nor without a request."""
    link_run(None)
    link_run({"__OTEL_TRACEPARENT": TEXT})
    assert current() is None
