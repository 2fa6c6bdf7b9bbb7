"""The states that task runs have been in."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Query

from lightwell.api.dependencies import Call, router_for
from lightwell.contract.states import State
from lightwell.storage import task_run_states

router = router_for("/task_run_states", "Task Run States")


@router.get("/{id:uuid}")
async def read_task_run_state(
    state_id: Annotated[UUID, Path(alias="id", description="The state's id")], call: Call
) -> State:
    """One state."""
    return await call.db.read(task_run_states.get, state_id)


@router.get("/")
async def read_task_run_states(
    task_run_id: Annotated[UUID, Query(description="The task run's id")], call: Call
) -> list[State]:
    """The states of a task run, oldest first."""
    return list(await call.db.read(task_run_states.select, task_run_id))
