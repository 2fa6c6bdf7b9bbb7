"""What the exception handlers tell: a structured event, and the exception on the server span, once."""

from typing import Final

from opentelemetry import trace
from opentelemetry.trace import Span, StatusCode

from lightwell.instrumentation.outcomes import message_of, qualified_name, stack_of
from lightwell.instrumentation.recording import CURRENT, Attribute
from lightwell.instrumentation.vocabulary import ERROR_TYPE, EXCEPTION_EVENT, LogEvent
from lightwell.instrumentation.words import log

Field = Attribute | list[str] | list[int] | None

_REPORTED: Final = "_lightwell_reported"


def trace_id() -> str | None:
    """The trace id of the present request as 32 hexadecimal digits; None outside of one."""
    recording = CURRENT.get()
    if recording is not None:
        return recording.trace_id
    context = trace.get_current_span().get_span_context()
    return f"{context.trace_id:032x}" if context.is_valid else None


def tell(event: LogEvent, *, on_span: bool = True, **fields: Field) -> None:
    """Emit a structured event: a log line, and an event on the present span where the vocabulary says so."""
    said = {name: value for name, value in fields.items() if value is not None}
    if on_span and event.on_span:
        span = trace.get_current_span()
        if span.is_recording():
            span.add_event(event.name, said)
    getattr(log, event.level)(event.name, **said)


def fail(error: BaseException, event: LogEvent, *, with_stack: bool = True, **fields: Field) -> None:
    """Report a failure of the present request, once: exception and ERROR on its span, and one log line.

    What fails after the answer is told by the HTTP middleware, as a span of its own.
    """
    recording = CURRENT.get()
    if recording is not None:
        if recording.closed or recording.failure is not None:
            return
        recording.failure = error
        recording.outcome = qualified_name(error)
    put_on_span(trace.get_current_span(), error)
    mark_reported(error)
    said = {name: value for name, value in fields.items() if value is not None}
    shown = {"exc_info": error} if with_stack else {"exception_message": message_of(error)}
    getattr(log, event.level)(event.name, exception_type=qualified_name(error), **said, **shown)


def put_on_span(span: Span, error: BaseException) -> None:
    """Write an exception with its stack on a span, and set its status and `error.type`."""
    if not span.is_recording():
        return
    kind = qualified_name(error)
    span.add_event(
        EXCEPTION_EVENT.name,
        {
            "exception.type": kind,
            "exception.message": message_of(error),
            "exception.stacktrace": stack_of(error),
            "exception.escaped": "False",
        },
    )
    span.set_status(StatusCode.ERROR)
    span.set_attribute(ERROR_TYPE, kind)


def mark_reported(error: BaseException) -> None:
    """Remember on the exception that it has been told, so that the server does not print its traceback again."""
    try:
        setattr(error, _REPORTED, True)
    except AttributeError:
        return


def is_reported(error: BaseException | None) -> bool:
    """Whether the exception has been told already."""
    return getattr(error, _REPORTED, False) is True
