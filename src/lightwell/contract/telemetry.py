"""What the server has seen: traces, failures and routes, from the embedded store."""

from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from lightwell.contract.model import Input, Instant, Model

MAX_TRACES = 200
"""How many traces a page has at most."""

MAX_SPANS = 20_000
"""How many spans of one trace are answered at most."""

_LONGEST = 1e9

SpanKind = Literal["internal", "server", "client", "producer", "consumer"]
SpanStatus = Literal["unset", "ok", "error"]


class TracesQuery(Input):
    """Which traces to list: those with a request, a tick or a run that has all of this."""

    failed: bool | None = Field(default=None, description="Only what failed, or only what did not.")
    route: str | None = Field(default=None, description="The template of a route: `/api/flow_runs/{id}`.")
    status: int | None = Field(default=None, ge=100, le=599, description="The status that was answered.")
    min_duration: float | None = Field(default=None, ge=0, le=_LONGEST, description="Seconds that it took, or more.")
    after: Instant | None = Field(default=None, description="What began at this instant or later.")
    before: Instant | None = Field(default=None, description="What began before this instant.")
    flow_run_id: UUID | None = Field(default=None, description="A flow run that it has to do with.")
    text: str | None = Field(
        default=None, max_length=200, description="A part of the type or of the message of the exception."
    )
    service: str | None = Field(default=None, description="The `service.name` of who served it.")
    limit: int = Field(default=50, ge=1, le=MAX_TRACES, description="How many at most.")
    cursor: str | None = Field(default=None, max_length=64, description="`next` of the page before.")


class WholeTrace(Model):
    """All that is stored of a trace, in figures."""

    started: Instant
    duration: float = Field(description="Seconds from its first instant to its last.")
    spans: int
    roots: int = Field(description="Local roots: requests, ticks of loops, runs of clients.")
    lines: int = Field(description="Log lines.")
    failed: bool = Field(description="Whether any of its spans failed.")


class TraceEntry(Model):
    """A trace in a list, shown by its newest local root that matches: a request, a tick of a loop, a client's run."""

    trace_id: str = Field(description="32 hexadecimal digits.")
    span_id: str = Field(description="The local root's span: 16 hexadecimal digits.")
    name: str
    service: str | None = Field(description="The process that it was part of, by `service.name`.")
    route: str | None = Field(description="The template of the route, for a request.")
    status: int | None = Field(description="The status that was answered, for a request.")
    started: Instant
    duration: float = Field(description="Seconds.")
    failed: bool
    reason: str | None = Field(description="Why the trace was kept: `error`, `slow`, `status`, `verdict`, `baseline`.")
    exception_type: str | None
    exception_message: str | None
    frame: str | None = Field(description="The line of code that failed, such as `lightwell/api/flows.py:12 create`.")
    flow_run_ids: list[UUID] = Field(description="Flow runs that this part of the trace has to do with.")
    trace: WholeTrace


class TracePage(Model):
    """Traces, newest first, and where the next page begins."""

    traces: list[TraceEntry]
    next: str | None = Field(description="What to send as `cursor` for the next page; null where there is none.")


class SpanEvent(Model):
    """Something that happened during a span."""

    name: str
    at: Instant
    offset: float = Field(description="Seconds since the beginning of the trace.")
    attributes: dict[str, Any]


class SpanLink(Model):
    """Another span that has to do with this one."""

    trace_id: str
    span_id: str
    attributes: dict[str, Any]


class Span(Model):
    """A span in its place in the tree: its parent stands before it, with a smaller depth."""

    span_id: str
    parent_id: str | None
    depth: int = Field(description="0 for a span whose parent is not stored.")
    name: str
    kind: SpanKind
    service: str | None
    instance: str | None = Field(description="The process, by `service.instance.id`.")
    started: Instant
    offset: float = Field(description="Seconds since the beginning of the trace.")
    duration: float = Field(description="Seconds.")
    status: SpanStatus
    status_message: str | None
    attributes: dict[str, Any]
    events: list[SpanEvent]
    links: list[SpanLink]


class TraceLine(Model):
    """A log line that was written during a trace."""

    at: Instant
    offset: float = Field(description="Seconds since the beginning of the trace.")
    level: str
    event: str
    span_id: str | None
    fields: dict[str, Any] = Field(description="What the line says beside; the stack of an exception is `stack`.")


class Trace(Model):
    """One trace as a tree, written from its top to its bottom: children follow their parent, earliest first."""

    trace_id: str
    started: Instant
    duration: float = Field(description="Seconds from its first instant to its last.")
    failed: bool
    services: list[str]
    flow_run_ids: list[UUID]
    spans: list[Span]
    lines: list[TraceLine] = Field(description="Log lines, earliest first.")
    truncated: bool = Field(description="Whether there is more than is shown, or some of it could not be read.")


class FailureGroup(Model):
    """Failures of the same route, with the same exception from the same line of code."""

    name: str
    service: str | None
    route: str | None
    exception_type: str | None
    exception_message: str | None = Field(description="That of the newest.")
    frame: str | None = Field(description="The line of code that failed, such as `lightwell/api/flows.py:12 create`.")
    count: int
    first_seen: Instant
    last_seen: Instant
    trace_ids: list[str] = Field(description="The newest, at most five.")


class FailureList(Model):
    """Failures in groups, the one that was seen last first."""

    failures: list[FailureGroup]


class RouteFigures(Model):
    """What was asked of one route. Durations are in seconds, to a tenth of their size."""

    method: str
    route: str | None = Field(description="The template; null for paths that no route matched.")
    requests: int
    rate: float = Field(description="Requests a second.")
    errors: int = Field(description="Answered with 5xx.")
    refused: int = Field(description="Answered with 4xx.")
    p50: float
    p95: float
    p99: float


class RouteTable(Model):
    """All requests of the last minutes, kept or not, of all processes of this server, by route; most requests first."""

    since: Instant = Field(description="The beginning of the first of these minutes in which anything was asked.")
    until: Instant
    processes: int = Field(description="Server processes that these figures come from.")
    routes: list[RouteFigures]
