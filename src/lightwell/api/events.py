"""Events: what happened to which resources; the websockets are in `streams.py`."""

import base64
import binascii
from typing import Annotated, NoReturn

from fastapi import Body, Path, Query, Request
from pydantic import BaseModel, ValidationError

from lightwell.api import streams
from lightwell.api.dependencies import Call, router_for
from lightwell.contract.events import (
    MAX_PAGE,
    Countable,
    Event,
    EventCount,
    EventCountQuery,
    EventFilter,
    EventPage,
    EventsQuery,
    ReceivedEvent,
)
from lightwell.errors import Forbidden
from lightwell.instrumentation.business import count_dropped_events
from lightwell.operations import events as operations
from lightwell.storage import event_counts, events
from lightwell.storage.transaction import Reader

router = router_for("/events", "Events")
router.add_api_websocket_route("/in", streams.receive_events)
router.add_api_websocket_route("/out", streams.send_events)

_NEXT_PAGE = "/filter/next"


@router.post("", status_code=204)
async def create_events(sent: list[Event], call: Call) -> None:
    """Store events; one that is stored already stays as it is."""
    new = await call.db.write(operations.record, [ReceivedEvent.model_construct(**dict(event)) for event in sent])
    count_dropped_events("duplicate", len(sent) - new)


class _Position(BaseModel):
    """Where the next page begins: which events, how many there are, and how many were given."""

    filter: EventFilter
    size: int
    total: int
    offset: int

    def token(self) -> str:
        return base64.urlsafe_b64encode(self.model_dump_json(exclude_none=True).encode()).decode()


@router.post("/filter")
async def read_events(call: Call, query: Annotated[EventsQuery, Body(default_factory=EventsQuery)]) -> EventPage:
    """The first page of the events that match, and where the next one is."""
    criteria = query.filter or EventFilter()
    found, total = await call.db.read(_first_page, criteria, query.limit)
    return _page(call, found, _Position(filter=criteria, size=query.limit, total=total, offset=len(found)))


@router.get(_NEXT_PAGE)
async def read_account_events_page(
    page_token: Annotated[str, Query(alias="page-token", description="As `next_page` had it")],
    call: Call,
) -> EventPage:
    """The next page of events."""
    position = _position(page_token)
    found = await call.db.read(events.select, position.filter, limit=position.size, offset=position.offset)
    position.offset += len(found)
    return _page(call, found, position)


@router.post("/count-by/{countable}")
async def count_account_events(
    countable: Annotated[Countable, Path()], query: EventCountQuery, call: Call
) -> list[EventCount]:
    """How many events match, by what they share."""
    return await call.db.read(event_counts.count_by, countable, query)


def _first_page(reader: Reader, criteria: EventFilter, size: int) -> tuple[list[ReceivedEvent], int]:
    return events.select(reader, criteria, limit=size), events.count(reader, criteria)


def _page(request: Request, found: list[ReceivedEvent], position: _Position) -> EventPage:
    next_page = None
    if found and position.offset < position.total:
        path = request.scope["path"].removesuffix(_NEXT_PAGE).removesuffix("/filter") + _NEXT_PAGE
        next_page = f"{request.url.replace(path=path, query='', fragment='')}?page-token={position.token()}"
    return EventPage.model_validate({"events": found, "total": position.total, "next_page": next_page})


def _position(token: str) -> _Position:
    try:
        position = _Position.model_validate_json(base64.urlsafe_b64decode(token.encode()))
    except (binascii.Error, ValueError, ValidationError):
        _refuse()
    if not (0 <= position.size <= MAX_PAGE and 0 <= position.offset <= position.total):
        _refuse()
    return position


def _refuse() -> NoReturn:
    message = "The page token cannot be read."
    raise Forbidden(message)
