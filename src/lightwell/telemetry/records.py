"""What the store of traces keeps and gives back: plain spans and log lines, whoever made them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["internal", "server", "client", "producer", "consumer"]
Status = Literal["unset", "ok", "error"]


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """Something that happened during a span; `at` is in nanoseconds since 1970."""

    at: int
    name: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredLink:
    """Another span that has to do with this one; ids are 32 and 16 small hexadecimal digits."""

    trace_id: str
    span_id: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredSpan:
    """A span of this server, of a client or of a worker.

    Ids are 32 and 16 small hexadecimal digits; times are nanoseconds since 1970, from 0 to 2**63 - 1. Attributes are
    what JSON can hold: text, numbers, booleans, and lists and objects of those. `is_root` says whether the span is the
    first of its process in this trace (its parent is absent, or remote); None where nobody knows, and then a span
    without a parent, and one of kind `server` or `consumer`, is taken for one. `service` and `instance` are the
    `service.name` and `service.instance.id` of who made it.
    """

    trace_id: str
    span_id: str
    name: str
    started: int
    ended: int
    parent_id: str | None = None
    kind: Kind = "internal"
    status: Status = "unset"
    status_message: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    events: Sequence[StoredEvent] = ()
    links: Sequence[StoredLink] = ()
    service: str | None = None
    instance: str | None = None
    is_root: bool | None = None


@dataclass(frozen=True, slots=True)
class StoredLine:
    """A log line of a trace: `at` in nanoseconds since 1970, `level` in small letters, `event` what it says."""

    trace_id: str
    at: int
    level: str
    event: str
    span_id: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
