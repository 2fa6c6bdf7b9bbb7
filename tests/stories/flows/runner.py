"""A runner, which starts a flow run in a process of its own and ends it when it is cancelled."""

import asyncio
import sys
from pathlib import Path

from prefect.client.orchestration import get_client
from prefect.runner import Runner
from prefect.states import Scheduled

from prefect import tags
from prefect.context import TagsContext
from sleeping import sleeping

ENTRYPOINT = f"{Path(__file__).with_name('sleeping.py')}:sleeping"


async def main() -> None:
    """Make a flow run and see it through."""
    async with get_client() as client:
        run = await client.create_flow_run(sleeping, state=Scheduled(), tags=TagsContext.get().current_tags)
    await Runner(name="runner", query_seconds=1).execute_flow_run(run.id, entrypoint=ENTRYPOINT)


if __name__ == "__main__":
    asyncio.run(main())
