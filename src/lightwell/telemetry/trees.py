"""One trace as a tree, put together from all its pieces, whoever sent them and however late."""

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Final
from uuid import UUID

from lightwell.contract.telemetry import Span, SpanEvent, SpanLink, Trace, TraceLine
from lightwell.telemetry.packing import unpack
from lightwell.telemetry.records import StoredEvent, StoredLine, StoredSpan
from lightwell.telemetry.times import instant_of, seconds_of

_MOST_LINES: Final = 5_000
_MOST_RUNS: Final = 100


def find_trace(connection: sqlite3.Connection, trace_id: str, *, limit: int) -> Trace | None:
    """The trace, with at most `limit` spans; None where nothing is stored of it."""
    key = bytes.fromhex(trace_id)
    spans: dict[str, StoredSpan] = {}
    lines: list[StoredLine] = []
    is_truncated = False
    pieces = connection.execute(
        "SELECT body, spans FROM pieces INDEXED BY pieces_of_trace WHERE trace_id = ? ORDER BY seq", (key,)
    )
    found = False
    for body, held in pieces:
        found = True
        room = limit - len(spans)
        is_truncated = is_truncated or held > room or len(lines) > _MOST_LINES
        try:
            more, said = unpack(key, body, room)
        except (ValueError, KeyError, TypeError, IndexError):
            is_truncated = True
            continue
        spans |= {span.span_id: span for span in more}
        if len(lines) <= _MOST_LINES:
            lines += said
    if not found:
        return None
    rows = connection.execute(
        "SELECT DISTINCT run FROM pieces INDEXED BY pieces_of_trace JOIN runs ON runs.piece = pieces.seq "
        "WHERE trace_id = ? LIMIT ?",
        (key, _MOST_RUNS),
    )
    return _trace(
        trace_id, list(spans.values()), lines, [UUID(bytes=run) for (run,) in rows], is_truncated=is_truncated
    )


def _trace(
    trace_id: str, spans: Sequence[StoredSpan], lines: list[StoredLine], runs: list[UUID], *, is_truncated: bool
) -> Trace:
    instants = [span.started for span in spans] or [line.at for line in lines] or [0]
    began = min(instants)
    ended = max([span.ended for span in spans] or [line.at for line in lines] or [0])
    lines.sort(key=lambda line: line.at)
    return Trace.model_construct(
        trace_id=trace_id,
        started=instant_of(began),
        duration=seconds_of(max(0, ended - began)),
        failed=any(span.status == "error" for span in spans),
        services=list(dict.fromkeys(span.service for span in spans if span.service is not None)),
        flow_run_ids=runs,
        spans=[_span(span, depth, began) for span, depth in _in_order(spans)],
        lines=[_line(line, began) for line in lines],
        truncated=is_truncated,
    )


def _in_order(spans: Sequence[StoredSpan]) -> Iterator[tuple[StoredSpan, int]]:
    """Each span once, parents first, with its depth; without recursion, as a client may nest as deep as it likes.

    Spans that are each other's parents are entered at the earliest of them.
    """
    present = {span.span_id for span in spans}
    ordered = sorted(spans, key=lambda span: (span.started, -span.ended))
    children: dict[str | None, list[StoredSpan]] = {}
    for span in ordered:
        parent = span.parent_id if span.parent_id in present and span.parent_id != span.span_id else None
        children.setdefault(parent, []).append(span)
    shown: set[str] = set()
    for top in [*children.get(None, ()), *ordered]:
        waiting = [(top, 0)]
        while waiting:
            span, depth = waiting.pop()
            if span.span_id in shown:
                continue
            shown.add(span.span_id)
            yield span, depth
            waiting.extend((child, depth + 1) for child in reversed(children.get(span.span_id, ())))


def _span(span: StoredSpan, depth: int, began: int) -> Span:
    return Span.model_construct(
        span_id=span.span_id,
        parent_id=span.parent_id,
        depth=depth,
        name=span.name,
        kind=span.kind,
        service=span.service,
        instance=span.instance,
        started=instant_of(span.started),
        offset=seconds_of(span.started - began),
        duration=seconds_of(max(0, span.ended - span.started)),
        status=span.status,
        status_message=span.status_message or None,
        attributes=dict(span.attributes),
        events=[_event(event, began) for event in span.events],
        links=[
            SpanLink.model_construct(trace_id=link.trace_id, span_id=link.span_id, attributes=dict(link.attributes))
            for link in span.links
        ],
    )


def _event(event: StoredEvent, began: int) -> SpanEvent:
    return SpanEvent.model_construct(
        name=event.name,
        at=instant_of(event.at),
        offset=seconds_of(event.at - began),
        attributes=dict(event.attributes),
    )


def _line(line: StoredLine, began: int) -> TraceLine:
    return TraceLine.model_construct(
        at=instant_of(line.at),
        offset=seconds_of(line.at - began),
        level=line.level,
        event=line.event,
        span_id=line.span_id,
        fields=dict(line.fields),
    )
