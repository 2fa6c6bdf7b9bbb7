"""What a span of somebody else may be in the store: whole, but bounded, in whichever form of OTLP it came."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, Literal, TypeVar
from uuid import UUID

from lightwell.instrumentation.vocabulary import ENTRIES_DROPPED, FLOW_RUN, SCOPE_NAME, TASK_RUN
from lightwell.telemetry.records import Kind, Status, StoredEvent, StoredLink, StoredSpan

T = TypeVar("T")

Reason = Literal["invalid", "too_large", "too_many"]

MOST_SPANS: Final = 10_000
"""Spans of one request; the batches of SDKs have 512, those of collectors 8192."""
MOST_PARTS: Final = 200_000
"""Spans, libraries and programs of one request, wanted or not: past them it is given up."""
LARGEST_SPAN: Final = 1024 * 1024
"""Bytes of one span as protobuf."""
MOST_ATTRIBUTES: Final = 128
MOST_EVENTS: Final = 128
MOST_LINKS: Final = 128
MOST_ITEMS: Final = 128
"""Of one list or object in an attribute."""
DEEPEST: Final = 4
LONGEST_NAME: Final = 1024
LONGEST_TEXT: Final = 16_384
MOST_TEXT: Final = 262_144
"""Characters of one span in all."""

_HAS_REMOTE: Final = 0x100
_IS_REMOTE: Final = 0x200
_LAST_INSTANT: Final = 2**63 - 1
_KINDS: Final[tuple[Kind, ...]] = ("internal", "internal", "server", "client", "producer", "consumer")
_STATUSES: Final[tuple[Status, ...]] = ("unset", "ok", "error")
_RUN_IDS: Final = {"flow": FLOW_RUN, "task": TASK_RUN}
_NOTHING: Final = frozenset("0")
_DIGITS: Final = frozenset("0123456789abcdef")
_TRACE_DIGITS: Final = 32
_SPAN_DIGITS: Final = 16


class Undecodable(ValueError):
    """The request is not what its form says that it is; nothing of it is taken."""


class Refused(Exception):
    """One span cannot be taken; the others can."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


@dataclass(slots=True)
class Received:
    """What one request brought: the spans that can be kept, and how many cannot be, by reason."""

    spans: list[StoredSpan] = field(default_factory=list)
    refused: Counter[Reason] = field(default_factory=Counter)
    room: int = MOST_SPANS
    """How many more spans are looked at."""

    def look_at(self, spans: Sequence[T], read: Callable[[T], StoredSpan]) -> None:
        """Read spans as far as there is room, and count the others."""
        looked_at = spans[: self.room]
        self.room -= len(looked_at)
        if len(spans) > len(looked_at):
            self.refused["too_many"] += len(spans) - len(looked_at)
        for span in looked_at:
            try:
                self.spans.append(read(span))
            except Refused as refused:
                self.refused[refused.reason] += 1


@dataclass(frozen=True, slots=True)
class Form:
    """One form of OTLP: how to read a request, to answer it, and to answer one that cannot be read.

    `decode` raises Undecodable; `answer` takes how many spans were refused and why, `problem` a code of google.rpc.Code
    and what is wrong.
    """

    decode: Callable[[bytes], Received]
    answer: Callable[[int, str], bytes]
    problem: Callable[[int, str], bytes]


@dataclass(frozen=True, slots=True)
class Origin:
    """Who made a span: the program, its instance, and the library in it."""

    service: str | None = None
    instance: str | None = None
    scope: str = ""

    def of(self, scope: str) -> "Origin":
        """The same program, by another library."""
        return Origin(self.service, self.instance, scope)


def origin(attributes: Mapping[str, Any]) -> Origin:
    """Who made spans, by the attributes of their resource."""
    service, instance = attributes.get("service.name"), attributes.get("service.instance.id")
    return Origin(
        service if isinstance(service, str) else None,
        instance if isinstance(instance, str) else None,
    )


class Draft:
    """One span that is being made: how much text it may still hold, and how much it had to leave out."""

    __slots__ = ("dropped", "left")

    def __init__(self) -> None:
        self.left = MOST_TEXT
        self.dropped = 0

    def text(self, value: str, most: int = LONGEST_TEXT) -> str:
        """The text as far as there is room for it."""
        room = min(most, self.left)
        if len(value) > room:
            value = value[:room]
            self.dropped += 1
        self.left -= len(value)
        return value

    def first(self, items: Sequence[T], most: int) -> Iterable[T]:
        """As many of the items as there may be."""
        self.dropped += max(0, len(items) - most)
        return islice(items, most)

    def has_room(self) -> bool:
        """Whether there is room for any more text; what is not even begun for lack of it is counted."""
        self.dropped += self.left <= 0
        return self.left > 0

    def is_too_deep(self, depth: int) -> bool:
        """Whether a list or object lies in too many others to be kept."""
        if depth < DEEPEST:
            return False
        self.dropped += 1
        return True

    @staticmethod
    def number(value: float) -> float | str:
        """A number, in the form that JSON can hold."""
        return value if math.isfinite(value) else str(value)


@dataclass(slots=True, kw_only=True)
class Parts:
    """A span as it came, with its members read: ids as hexadecimal digits, times in nanoseconds since 1970."""

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    kind: int
    flags: int
    started: int
    ended: int
    attributes: dict[str, Any]
    events: list[StoredEvent]
    links: list[StoredLink]
    status: int
    status_message: str
    lost: int
    """Attributes, events and links that whoever made the span had to leave out."""


def made(parts: Parts, draft: Draft, by: Origin) -> StoredSpan:
    """The span for the store; raises Refused for one without ids, or of a time that never was."""
    trace_id, span_id, parent_id = identified(parts.trace_id, parts.span_id, parts.parent_id)
    if not 0 <= parts.started <= _LAST_INSTANT or not 0 <= parts.ended <= _LAST_INSTANT:
        raise Refused("invalid")
    attributes = parts.attributes
    if by.scope:
        attributes.setdefault(SCOPE_NAME, by.scope)
    if dropped := draft.dropped + parts.lost:
        attributes[ENTRIES_DROPPED] = dropped
    _name_run(attributes)
    return StoredSpan(
        trace_id=trace_id,
        span_id=span_id,
        parent_id=parent_id,
        name=parts.name,
        started=parts.started,
        ended=max(parts.started, parts.ended),
        kind=_KINDS[parts.kind] if 0 <= parts.kind < len(_KINDS) else "internal",
        status=_STATUSES[parts.status] if 0 <= parts.status < len(_STATUSES) else "unset",
        status_message=parts.status_message,
        attributes=attributes,
        events=parts.events,
        links=parts.links,
        service=by.service,
        instance=by.instance,
        is_root=_is_root(parent_id, parts.flags),
    )


def identified(trace_id: str, span_id: str, parent_id: str = "") -> tuple[str, str, str | None]:
    """The ids of a span, or of one that it is linked to, and of its parent; raises Refused where they are none."""
    if not _is_id(trace_id, _TRACE_DIGITS) or not _is_id(span_id, _SPAN_DIGITS):
        raise Refused("invalid")
    if not parent_id or _NOTHING.issuperset(parent_id):
        return trace_id, span_id, None
    if not _is_id(parent_id, _SPAN_DIGITS):
        raise Refused("invalid")
    return trace_id, span_id, parent_id


def _is_id(text: str, digits: int) -> bool:
    return len(text) == digits and _DIGITS.issuperset(text) and not _NOTHING.issuperset(text)


def _is_root(parent_id: str | None, flags: int) -> bool | None:
    if parent_id is None:
        return True
    return bool(flags & _IS_REMOTE) if flags & _HAS_REMOTE else None


def _name_run(attributes: dict[str, Any]) -> None:
    """Give the span of a run the run's id in our own words, by which the store finds the traces of a run."""
    ours = _RUN_IDS.get(str(attributes.get("prefect.run.type")))
    if ours is None:
        return
    try:
        attributes.setdefault(ours, str(UUID(str(attributes.get("prefect.run.id")))))
    except ValueError:
        return
