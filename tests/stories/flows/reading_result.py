"""Somebody who wants to know what a flow run found."""

import asyncio
import sys
from uuid import UUID

from prefect.client.orchestration import get_client


async def result_of(flow_run_id: UUID) -> object:
    """The result of a flow run that has completed."""
    async with get_client() as client:
        run = await client.read_flow_run(flow_run_id)
    assert run.state is not None
    found: object = await run.state.aresult()
    return found


if __name__ == "__main__":
    sys.stdout.write(f"{asyncio.run(result_of(UUID(sys.argv[1])))}\n")
