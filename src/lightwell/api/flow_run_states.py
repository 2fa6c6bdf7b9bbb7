"""The states that flow runs have been in."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Query

from lightwell.api.dependencies import Call, router_for
from lightwell.contract.states import State
from lightwell.storage import flow_run_states

router = router_for("/flow_run_states", "Flow Run States")


@router.get("/{id:uuid}")
async def read_flow_run_state(
    state_id: Annotated[UUID, Path(alias="id", description="The state's id")], call: Call
) -> State:
    """One state."""
    return await call.db.read(flow_run_states.get, state_id)


@router.get("/")
async def read_flow_run_states(
    flow_run_id: Annotated[UUID, Query(description="The flow run's id")], call: Call
) -> list[State]:
    """The states of a flow run, oldest first."""
    return list(await call.db.read(flow_run_states.select, flow_run_id))
