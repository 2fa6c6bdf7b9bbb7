"""Turns what a recording holds into spans with the times at which things happened; only for traces that are kept."""

from collections.abc import Iterable
from time import perf_counter_ns, time_ns

from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer, set_span_in_context

from lightwell.instrumentation import vocabulary as names
from lightwell.instrumentation.metrics import SECOND
from lightwell.instrumentation.recording import Attribute, Entry, Recording, Work

_LONGEST_STATEMENT = 8_000
_STATEMENTS = frozenset({"statement", "broken"})


def offset_of(recording: Recording) -> int:
    """What to add to an instant of `time.perf_counter_ns()` to get the wall clock's, as the root's span began by it."""
    began: int = getattr(recording.span, "start_time", None) or time_ns() - perf_counter_ns() + recording.started
    return began - recording.started


def replay(tracer: Tracer, recording: Recording) -> None:
    """Make the children of a root that has not ended yet."""
    offset = offset_of(recording)
    context = set_span_in_context(recording.span, Context())
    _walk(tracer, recording.entries, recording.span, context, offset, None)
    for unit in recording.units:
        _replay_unit(tracer, unit, context, offset)


def replay_late(tracer: Tracer, recording: Recording, unit: Work) -> None:
    """Make the spans of a unit that ended after its root: it follows the decision, and a failed one is kept."""
    if recording.kept or unit.failed:
        _replay_unit(tracer, unit, set_span_in_context(recording.span, Context()), offset_of(recording))


def _replay_unit(tracer: Tracer, unit: Work, context: Context, offset: int) -> None:
    began = unit.began or unit.ended
    attributes: dict[str, Attribute] = {
        names.UNIT_KIND: unit.kind,
        names.OPERATION: unit.name,
        names.UNIT_WAIT: (began - unit.asked) / SECOND,
        names.UNIT_STATEMENTS: sum(1 for entry in unit.entries if entry[0] in _STATEMENTS),
        names.UNIT_GROUP: unit.group,
        names.OUTCOME: unit.outcome,
    }
    if unit.retries:
        attributes[names.UNIT_RETRIES] = unit.retries
    if unit.dropped:
        attributes[names.ENTRIES_DROPPED] = unit.dropped
    if unit.failed:
        attributes[names.ERROR_TYPE] = unit.outcome
    span = tracer.start_span(
        f"{unit.kind} {unit.name}", context=context, attributes=attributes, start_time=unit.asked + offset
    )
    if unit.began:
        span.add_event(names.UNIT_BEGAN.name, timestamp=began + offset)
    _walk(tracer, unit.entries, span, set_span_in_context(span, Context()), offset, unit)
    if unit.failed:
        span.set_status(StatusCode.ERROR)
    span.end(unit.ended + offset)


def _walk(
    tracer: Tracer, entries: Iterable[Entry], span: Span, context: Context, offset: int, unit: Work | None
) -> None:
    open_spans: list[tuple[Span, Context]] = [(span, context)]
    last = 0
    for entry in entries:
        present, within = open_spans[-1]
        last = entry[1]
        match entry:
            case ("enter", at, name):
                verb = tracer.start_span(
                    name, context=within, attributes={names.OPERATION: name}, start_time=at + offset
                )
                open_spans.append((verb, set_span_in_context(verb, Context())))
            case ("leave", at, outcome, is_failed):
                _leave(present, outcome, is_failed=is_failed)
                present.end(at + offset)
                open_spans.pop()
            case ("statement", started, ended, text):
                _statement(tracer, within, text, unit, started + offset).end(ended + offset)
            case ("broken", started, ended, text, kind, code, is_failure):
                broken = _statement(tracer, within, text, unit, started + offset)
                _break(broken, kind, code, is_failure=is_failure)
                broken.end(ended + offset)
            case ("verdict", at, rule, verdict, reason):
                said = {names.RULE: rule, names.VERDICT: verdict} | ({names.REASON: reason} if reason else {})
                present.add_event(names.VERDICT_EVENT.name, said, timestamp=at + offset)
            case ("word", at, name, fields):
                present.add_event(name, fields, timestamp=at + offset)
    for unfinished, _ in open_spans[:0:-1]:
        unfinished.end((unit.ended if unit is not None else last) + offset)


def _leave(verb: Span, outcome: str, *, is_failed: bool) -> None:
    verb.set_attribute(names.OUTCOME, outcome)
    if is_failed:
        verb.set_attribute(names.ERROR_TYPE, outcome)
        verb.set_status(StatusCode.ERROR)


def _break(statement: Span, kind: str, code: str, *, is_failure: bool) -> None:
    statement.set_attribute(names.ERROR_TYPE, kind)
    if code:
        statement.set_attribute(names.DB_STATUS, code)
    if is_failure:
        statement.set_status(StatusCode.ERROR)


def _statement(tracer: Tracer, context: Context, text: str, unit: Work | None, started_at: int) -> Span:
    operation = text.split(None, 1)[0].upper() if text else "QUERY"
    shown = text if len(text) <= _LONGEST_STATEMENT else f"{text[:_LONGEST_STATEMENT]} …"
    attributes = {names.DB_QUERY_TEXT: shown, names.DB_OPERATION: operation}
    if unit is not None and unit.system is not None:
        attributes[names.DB_SYSTEM] = unit.system
    return tracer.start_span(
        operation, context=context, kind=SpanKind.CLIENT, attributes=attributes, start_time=started_at
    )
