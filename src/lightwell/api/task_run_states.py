"""The states that task runs have been in."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query

from lightwell.api.dependencies import Db
from lightwell.contract.states import State
from lightwell.storage import task_run_states

router = APIRouter(prefix="/task_run_states", tags=["Task Run States"])


@router.get("/{id:uuid}")
async def read_task_run_state(state_id: Annotated[UUID, Path(alias="id", description="The state's id")], db: Db) -> State:
    """One state."""
    return await db.read(task_run_states.get, state_id)


@router.get("/")
async def read_task_run_states(
    task_run_id: Annotated[UUID, Query(description="The task run's id")], db: Db
) -> list[State]:
    """The states of a task run, oldest first."""
    return list(await db.read(task_run_states.select, task_run_id))
