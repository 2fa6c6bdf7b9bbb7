"""How spans and lines are packed for the file: what came in one piece of one trace becomes one compressed blob.

One row a span would cost an index entry a span, and could not be compressed; the parts of a trace are only ever read
together. `entries.py` has what can be searched.
"""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

import orjson
from opentelemetry.trace import SpanKind, StatusCode

from lightwell.instrumentation.kept import KeptTrace, Line
from lightwell.telemetry.records import Kind, Status, StoredEvent, StoredLine, StoredLink, StoredSpan

KINDS: Final[tuple[Kind, ...]] = ("internal", "server", "client", "producer", "consumer")
STATUSES: Final[tuple[Status, ...]] = ("unset", "ok", "error")
ERROR: Final = STATUSES.index("error")
MOST_SPANS: Final = 500
"""Of one piece; what comes in more is cut into several."""

_EVENTS, _LINKS = "_events", "_links"
_NOTHING: Final[list[Any]] = []
_INTERNAL: Final = SpanKind.INTERNAL
_UNSET: Final = StatusCode.UNSET
_LATEST: Final = 2**63 - 1
_DEEPEST: Final = 100
_LEVEL: Final = 1
_WINDOW: Final = 13
_MEMORY: Final = 6
"""Of zlib: with more, each piece would have the system map and clear memory for it."""

Packed = tuple[int, int | None, str, int, int, int, int, str, Mapping[str, Any], list[Any], list[Any], bool]
"""A span: id, parent's id, name, kind, started, ended, status, its message, attributes, events, links, is it a root."""

PackedLine = tuple[int, str, str, int | None, Mapping[str, Any]]
"""A line: at, level, event, the span's id, fields."""


@dataclass(slots=True)
class Piece:
    """What came of one trace, from one process, at one time."""

    trace_id: bytes
    service: str | None = None
    instance: str | None = None
    spans: list[Packed] = field(default_factory=list)
    lines: list[PackedLine] = field(default_factory=list)
    is_own: bool = False
    """Whether this process made it, root first."""


def piece_of(kept: KeptTrace) -> Piece | None:
    """A kept trace of this process, packed; None where there is nothing in it."""
    if not kept.spans:
        ids = [line.trace_id for line in kept.lines if line.trace_id]
        return Piece(bytes.fromhex(ids[0]), lines=_pack_lines(kept.lines)) if ids else None
    first = kept.spans[0]
    if first.context is None:
        return None
    resource = first.resource.attributes
    return Piece(
        first.context.trace_id.to_bytes(16, "big"),
        _text_or_none(resource.get("service.name")),
        _text_or_none(resource.get("service.instance.id")),
        [_pack(span) for span in kept.spans],
        _pack_lines(kept.lines),
        is_own=True,
    )


def _pack_lines(lines: Iterable[Line]) -> list[PackedLine]:
    return [
        (line.at, line.level, line.event, int(line.span_id, 16) if line.span_id else None, line.fields)
        for line in lines
    ]


def pieces_of(spans: Iterable[StoredSpan], lines: Iterable[StoredLine] = ()) -> list[Piece]:
    """Spans and lines of anybody, packed: a piece for each trace and process; raises ValueError for a wrong id."""
    pieces: dict[tuple[bytes, str | None, str | None], Piece] = {}
    full: list[Piece] = []
    for span in spans:
        key = (_trace_id(span.trace_id), span.service, span.instance)
        piece = pieces.get(key)
        if piece is None or len(piece.spans) >= MOST_SPANS:
            if piece is not None:
                full.append(piece)
            piece = pieces[key] = Piece(*key)
        piece.spans.append(_pack_stored(span))
    by_trace = {piece.trace_id: piece for piece in pieces.values()}
    for line in lines:
        trace_id = _trace_id(line.trace_id)
        piece = by_trace.get(trace_id)
        if piece is None:
            piece = by_trace[trace_id] = pieces[trace_id, None, None] = Piece(trace_id)
        span_id = None if line.span_id is None else _span_id(line.span_id)
        piece.lines.append((_instant(line.at), line.level, line.event, span_id, line.fields))
    return [*full, *pieces.values()]


def _pack(span: Any) -> Packed:
    """A span of the SDK; what its properties copy although it is empty, as most is, is not asked for."""
    context, parent, kind, code = span.context, span.parent, span.kind, span.status.status_code
    events = span.events if getattr(span, _EVENTS, True) else ()
    links = span.links if getattr(span, _LINKS, True) else ()
    return (
        context.span_id,
        None if parent is None else parent.span_id,
        span.name,
        0 if kind is _INTERNAL else kind.value,
        span.start_time or 0,
        span.end_time or 0,
        0 if code is _UNSET else code.value,
        span.status.description or "",
        span.attributes.copy(),  # at once: to read one by one takes a lock for each
        [(event.timestamp, event.name, _plain(event.attributes)) for event in events] if events else _NOTHING,
        [(f"{link.context.trace_id:032x}", link.context.span_id, _plain(link.attributes)) for link in links]
        if links
        else _NOTHING,
        parent is None or parent.is_remote,
    )


def _plain(attributes: Any) -> Mapping[str, Any]:
    """A dictionary of the SDK's attributes."""
    return {} if attributes is None else attributes.copy()


def _pack_stored(span: StoredSpan) -> Packed:
    parent = None if span.parent_id is None else _span_id(span.parent_id)
    is_root = span.is_root
    if is_root is None:
        is_root = parent is None or span.kind in {"server", "consumer"}
    return (
        _span_id(span.span_id),
        parent,
        readable(span.name),
        KINDS.index(span.kind),
        _instant(span.started),
        _instant(span.ended),
        STATUSES.index(span.status),
        readable(span.status_message),
        span.attributes,
        [(_instant(event.at), event.name, event.attributes) for event in span.events],
        [(link.trace_id, _span_id(link.span_id), link.attributes) for link in span.links],
        is_root,
    )


def _trace_id(text: str) -> bytes:
    trace_id = bytes.fromhex(text)
    if len(trace_id) != 16:  # noqa: PLR2004 -- the length of a trace id
        raise ValueError("a trace id has 32 digits")
    return trace_id


def _span_id(text: str) -> int:
    return int.from_bytes(bytes.fromhex(text)[:8], "big")


def _instant(nanoseconds: int) -> int:
    return min(max(nanoseconds, 0), _LATEST)


def _text_or_none(value: object) -> str | None:
    return None if value is None else str(value)


def readable(text: str) -> str:
    """The text, with question marks for what is no Unicode."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def pack(piece: Piece) -> bytes:
    """The blob of a piece."""
    content = {"s": piece.service, "i": piece.instance, "p": piece.spans, "l": piece.lines}
    try:
        text = orjson.dumps(content, default=str)
    except TypeError:  # a key that is no text, an integer past 64 bits, a lone surrogate
        text = orjson.dumps(_mended(content, 0), default=str)
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _WINDOW, _MEMORY)
    return packer.compress(text) + packer.flush()


def _mended(value: object, depth: int) -> object:
    """As much of anything as JSON can hold."""
    if isinstance(value, str):
        return readable(value)
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return str(value)
    if depth > _DEEPEST:
        return None
    if isinstance(value, Mapping):
        return {readable(str(name)): _mended(one, depth + 1) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_mended(one, depth + 1) for one in value]
    return value


def unpack(trace_id: bytes, blob: bytes, most: int | None = None) -> tuple[list[StoredSpan], list[StoredLine]]:
    """The spans (at most `most`) and lines of a blob. Raises ValueError for what is none."""
    try:
        content = orjson.loads(zlib.decompress(blob))
    except zlib.error as error:
        raise ValueError("the blob cannot be unpacked") from error
    trace, service, instance = trace_id.hex(), content["s"], content["i"]
    spans = [_unpack_span(trace, service, instance, packed) for packed in islice(content["p"], most)]
    lines = [
        StoredLine(trace, at, level, event, None if span_id is None else f"{span_id:016x}", fields)
        for at, level, event, span_id, fields in content["l"]
    ]
    return spans, lines


def _unpack_span(trace_id: str, service: str | None, instance: str | None, packed: Sequence[Any]) -> StoredSpan:
    span_id, parent_id, name, kind, started, ended, status, message, attributes, events, links, is_root = packed
    return StoredSpan(
        trace_id=trace_id,
        span_id=f"{span_id:016x}",
        name=name,
        started=started,
        ended=ended,
        parent_id=None if parent_id is None else f"{parent_id:016x}",
        kind=KINDS[kind],
        status=STATUSES[status],
        status_message=message,
        attributes=attributes,
        events=[StoredEvent(*event) for event in events],
        links=[StoredLink(trace, f"{span:016x}", said) for trace, span, said in links],
        service=service,
        instance=instance,
        is_root=is_root,
    )
