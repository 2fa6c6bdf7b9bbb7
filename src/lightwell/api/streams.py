"""The websockets: events in, events out, logs out; each begins with the handshake in `sockets.py`."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel, ValidationError
from starlette.websockets import WebSocket, WebSocketDisconnect

from lightwell.api import sockets
from lightwell.api.dependencies import Services, services
from lightwell.contract.events import Event, EventFilter, EventOrder, ReceivedEvent
from lightwell.contract.logs import Log, LogFilter
from lightwell.errors import Rejected, Unavailable
from lightwell.events.broadcast import Broadcast, Overrun
from lightwell.events.facts import Told
from lightwell.instrumentation.business import count_dropped_events
from lightwell.instrumentation.sockets import batch
from lightwell.kit.ordered_pongs import EXTENSION, OrderedPongs
from lightwell.operations import events as event_operations
from lightwell.storage import events as stored_events

T = TypeVar("T")
F = TypeVar("F", bound=BaseModel)

_MOST_EVENTS_AT_ONCE = 250


async def receive_events(websocket: WebSocket) -> None:
    """Store the events that a client sends; a pong tells it that all before its ping are kept."""
    here = services(websocket)
    pongs: OrderedPongs | None = websocket.scope.get("extensions", {}).get(EXTENSION)
    try:
        await sockets.accept(websocket, here.auth_string)
        if pongs is not None:
            pongs.hold()
            pongs.settle()
        while True:
            events, end = await _next_events(websocket, pongs)
            with batch(websocket.scope, len(events)):
                await _store(here, events)
            if end is not None:
                raise end
            if pongs is not None:
                pongs.settle()
    except (sockets.Refused, WebSocketDisconnect):
        return
    except Rejected as error:
        await sockets.close(websocket, sockets.PROTOCOL_ERROR, error.message)
    except Unavailable as error:
        await sockets.close(websocket, sockets.TRY_AGAIN_LATER, error.message)


async def _store(here: Services, events: list[ReceivedEvent]) -> None:
    try:
        new = await here.database.write(event_operations.record, events)
    except Unavailable:
        count_dropped_events("refused", len(events))
        raise
    count_dropped_events("duplicate", len(events) - new)


async def _next_events(
    websocket: WebSocket, pongs: OrderedPongs | None
) -> tuple[list[ReceivedEvent], Exception | None]:
    """At least one event and what more has arrived already; and the end, if it has come: what was before it counts."""
    events = [await _next_event(websocket)]
    while pongs is not None and pongs.backlog and len(events) < _MOST_EVENTS_AT_ONCE:
        try:
            events.append(await _next_event(websocket))
        except (WebSocketDisconnect, sockets.Refused) as end:
            return events, end
    return events, None


async def _next_event(websocket: WebSocket) -> ReceivedEvent:
    frame = await websocket.receive()
    if frame["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(frame["code"], frame.get("reason"))
    try:
        event = Event.model_validate_json(frame.get("text") or frame.get("bytes") or b"")
    except ValidationError as error:
        count_dropped_events("invalid", 1)
        raise await sockets.invalid(websocket, "event", error) from None
    return ReceivedEvent.model_construct(**dict(event))


async def send_events(websocket: WebSocket) -> None:
    """Send stored events that match a filter, oldest first, then live ones; none twice."""
    here = services(websocket)
    try:
        await sockets.accept(websocket, here.auth_string)
        message = await sockets.receive_message(websocket)
        criteria = await _filter_in(websocket, message, EventFilter)
        now = here.clock.now()
        criteria.occurred.since = max(criteria.occurred.since, now - here.event_backfill)
        criteria.occurred.until = max(criteria.occurred.until, now)
        criteria.order = EventOrder.ASC
        wants_backfill = message.get("backfill", True) is not False
        with here.event_stream.listen(_live(criteria).matches) as listener:
            sent = await _send_stored(websocket, here, criteria) if wants_backfill else set()

            async def fresh() -> AsyncIterator[Sequence[str]]:
                while True:
                    facts = await listener.take()
                    yield [_event_message(fact) for fact in facts if fact.id not in sent]
                    sent.difference_update(fact.id for fact in facts)

            await _stream(websocket, fresh())
    except (sockets.Refused, WebSocketDisconnect):
        return
    except Rejected as error:
        await sockets.close(websocket, sockets.PROTOCOL_ERROR, error.message)
    except (Unavailable, Overrun):
        await sockets.close(websocket, sockets.TRY_AGAIN_LATER, "Too much at once; connect again")


async def send_logs(websocket: WebSocket) -> None:
    """Send log lines that match a filter, from now on."""
    here = services(websocket)
    try:
        await sockets.accept(websocket, here.auth_string)
        message = await sockets.receive_message(websocket)
        criteria = await _filter_in(websocket, message, LogFilter)
        await _follow(websocket, here.log_stream, criteria.matches, _log_message)
    except (sockets.Refused, WebSocketDisconnect):
        return
    except Overrun:
        await sockets.close(websocket, sockets.TRY_AGAIN_LATER, "Too much at once; connect again")


async def _filter_in(websocket: WebSocket, message: dict[str, Any], model: type[F]) -> F:
    if message.get("type") != "filter":
        raise await sockets.refusal(websocket, sockets.PROTOCOL_ERROR, "Expected 'filter' message")
    try:
        return model.model_validate(message.get("filter"))
    except ValidationError as error:
        raise await sockets.invalid(websocket, "filter", error) from None


def _live(criteria: EventFilter) -> EventFilter:
    """The same filter for what is yet to come: it has no end in time."""
    live = criteria.model_copy(deep=True)
    live.occurred.until = datetime.max.replace(tzinfo=UTC)
    return live


async def _send_stored(websocket: WebSocket, here: Services, criteria: EventFilter) -> set[UUID]:
    sent: set[UUID] = set()
    while True:
        events = await here.database.read(
            stored_events.select, criteria, limit=here.event_backfill_page, offset=len(sent)
        )
        for event in events:
            await websocket.send_text(_event_message(event))
        sent.update(event.id for event in events)
        if len(events) < here.event_backfill_page:
            return sent


async def _follow(
    websocket: WebSocket, stream: Broadcast[T], wants: Callable[[T], bool], as_message: Callable[[T], str]
) -> None:
    with stream.listen(wants) as listener:

        async def fresh() -> AsyncIterator[Sequence[str]]:
            while True:
                yield [as_message(item) for item in await listener.take()]

        await _stream(websocket, fresh())


async def _stream(websocket: WebSocket, batches: AsyncIterator[Sequence[str]]) -> None:
    """Send what comes until the client leaves."""

    async def send() -> None:
        async for messages in batches:
            with batch(websocket.scope, len(messages)):
                for message in messages:
                    await websocket.send_text(message)

    sending = asyncio.ensure_future(send())
    closing = asyncio.ensure_future(sockets.until_closed(websocket))
    try:
        await asyncio.wait({sending, closing}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (sending, closing):
            if not task.done():
                task.cancel()
        await asyncio.gather(sending, closing, return_exceptions=True)
    if not sending.cancelled() and (error := sending.exception()) is not None:
        raise error


def _event_message(event: Told) -> str:
    received = (
        event
        if isinstance(event, ReceivedEvent)
        else ReceivedEvent.model_construct(
            id=event.id,
            occurred=event.occurred,
            received=event.received or event.occurred,
            event=event.event,
            resource=dict(event.resource),
            related=[dict(resource) for resource in event.related],
            payload=dict(event.payload),
            follows=event.follows,
        )
    )
    return f'{{"type":"event","event":{received.model_dump_json()}}}'


def _log_message(log: Log) -> str:
    return f'{{"type":"log","log":{log.model_dump_json()}}}'
