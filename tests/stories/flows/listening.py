"""Somebody who listens to events until the one comes that ends it."""

import asyncio
import sys

from prefect.events.clients import get_events_subscriber
from prefect.events.filters import EventAnyResourceFilter, EventFilter


async def listen(resource: str) -> None:
    """Write down the names of this resource's events, one a line, until one is called `shop.closed`."""
    wanted = EventFilter(any_resource=EventAnyResourceFilter(id=[resource]))
    async with get_events_subscriber(filter=wanted) as events:
        async for event in events:
            sys.stdout.write(f"{event.event}\n")
            sys.stdout.flush()
            if event.event == "shop.closed":
                return


if __name__ == "__main__":
    asyncio.run(listen(sys.argv[1]))
