"""What the server has seen: kept traces, failures in groups, and how busy each route is."""

import asyncio
import base64
import binascii
import re
import struct
from datetime import datetime
from typing import Annotated, Final, NoReturn
from uuid import UUID

from fastapi import Path, Query

from lightwell.api.dependencies import Call, router_for
from lightwell.contract.model import Instant
from lightwell.contract.telemetry import (
    MAX_SPANS,
    MAX_TRACES,
    FailureList,
    RouteTable,
    Trace,
    TracePage,
    TracesQuery,
)
from lightwell.errors import Invalid, NotFound
from lightwell.telemetry.reading import Position, Wanted, group_failures, select_traces
from lightwell.telemetry.store import TraceStore
from lightwell.telemetry.times import nanoseconds_of
from lightwell.telemetry.trees import find_trace

router = router_for("/telemetry", "Telemetry")

_DEADLINE: Final = 5.0
_ELSEWHERE: Final = 0.15
"""Seconds in which another process of this server writes what it has just kept."""
_TRACE_ID: Final = re.compile(r"[0-9a-fA-F]{32}")
_CURSOR: Final = struct.Struct(">QQ")

Limit = Annotated[int, Query(ge=1, le=MAX_TRACES, description="How many at most.")]
Cursor = Annotated[str | None, Query(max_length=64, description="`next` of the page before.")]
After = Annotated[Instant | None, Query(description="What began at this instant or later.")]
Before = Annotated[Instant | None, Query(description="What began before this instant.")]
Failed = Annotated[bool | None, Query(description="Only what failed, or only what did not.")]


@router.get("/traces")
async def read_traces(query: Annotated[TracesQuery, Query()], call: Call) -> TracePage:
    """Kept traces, newest first; each by its newest request, tick or run that has all of what is asked for."""
    wanted = Wanted(
        failed=query.failed,
        route=_storable(query.route),
        status=query.status,
        min_duration=None if query.min_duration is None else int(query.min_duration * 1e9),
        after=_nanoseconds(query.after),
        before=_nanoseconds(query.before),
        flow_run=query.flow_run_id,
        text=_storable(query.text),
        service=_storable(query.service),
    )
    return await _page(_store(call), wanted, query.limit, query.cursor)


@router.get("/traces/{trace_id}")
async def read_trace(
    trace_id: Annotated[str, Path(description="32 hexadecimal digits, as `X-Trace-Id` has them.")],
    call: Call,
    limit: Annotated[int, Query(ge=1, le=MAX_SPANS, description="How many spans at most.")] = 5000,
) -> Trace:
    """One trace as a tree, with events, links and log lines."""
    if not _TRACE_ID.fullmatch(trace_id):
        raise Invalid("A trace id has 32 hexadecimal digits.")
    store = _store(call)
    found = await store.read(find_trace, _DEADLINE, trace_id.lower(), limit=limit)
    if found is None:
        await asyncio.sleep(_ELSEWHERE)
        found = await store.read(find_trace, _DEADLINE, trace_id.lower(), limit=limit)
    if found is None:
        raise NotFound("trace", detail="The trace is not stored: it was not kept, or is no longer.")
    return found


@router.get("/flow_runs/{id}/traces")
async def read_flow_run_traces(
    flow_run_id: Annotated[UUID, Path(alias="id")],
    call: Call,
    failed: Failed = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> TracePage:
    """Kept traces that have to do with a flow run, newest first."""
    return await _page(_store(call), Wanted(failed=failed, flow_run=flow_run_id), limit, cursor)


@router.get("/failures")
async def read_failures(call: Call, after: After = None, before: Before = None, limit: Limit = 50) -> FailureList:
    """Failures in groups: the same route, exception and line of code; the one that was seen last first."""
    return await _store(call).read(
        group_failures, _DEADLINE, limit=limit, after=_nanoseconds(after), before=_nanoseconds(before)
    )


@router.get("/routes")
async def read_routes(
    call: Call,
    minutes: Annotated[int, Query(ge=1, le=60, description="How far back, the present minute included.")] = 60,
) -> RouteTable:
    """How busy each route is: all requests of the last minutes, kept or not, of all processes of this server."""
    return await _store(call).routes(_DEADLINE, minutes=minutes)


def _store(call: Call) -> TraceStore:
    found = call.here.traces
    if found is None:
        raise NotFound(
            "trace_store",
            detail="The store of traces is turned off (LIGHTWELL_TELEMETRY_STORE_MODE, LIGHTWELL_TELEMETRY_ENABLED).",
        )
    return found


async def _page(store: TraceStore, wanted: Wanted, limit: int, cursor: str | None) -> TracePage:
    position = None if cursor is None else _position(cursor)
    page, following = await store.read(select_traces, _DEADLINE, wanted, limit=limit, position=position)
    if following is not None:
        page.next = base64.urlsafe_b64encode(_CURSOR.pack(*following)).decode().rstrip("=")
    return page


def _position(cursor: str) -> Position:
    try:
        packed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        position = Position(*_CURSOR.unpack(packed))
    except (binascii.Error, struct.error, ValueError):
        _refuse()
    if max(position) >= 2**63:
        _refuse()
    return position


def _refuse() -> NoReturn:
    raise Invalid("The cursor cannot be read.")


def _nanoseconds(instant: datetime | None) -> int | None:
    return None if instant is None else nanoseconds_of(instant)


def _storable(text: str | None) -> str | None:
    """What can be compared with what is stored; no stored text has lone surrogates."""
    return None if text is None else text.encode("utf-8", "replace").decode()
