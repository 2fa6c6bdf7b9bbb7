"""A runner, which starts a flow run in a process of its own and ends it when it is cancelled."""

import asyncio
import time

from prefect import flow, task
from prefect.client.orchestration import get_client
from prefect.context import TagsContext
from prefect.runner import Runner
from prefect.states import Scheduled


@task
def long_nap() -> None:
    """Sleep in small pieces, so that a signal is heard."""
    for _ in range(600):
        time.sleep(0.1)


@flow
def overslept() -> None:
    """Sleep for a minute."""
    long_nap()


async def main() -> None:
    """Make a flow run and see it through."""
    async with get_client() as client:
        run = await client.create_flow_run(overslept, state=Scheduled(), tags=TagsContext.get().current_tags)
    await Runner(name="runner", query_seconds=1).execute_flow_run(run.id, entrypoint=f"{__file__}:overslept")


if __name__ == "__main__":
    asyncio.run(main())
