"""The states that task runs have been in."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import bindparam
from sqlalchemy import select as sql_select

from lightwell.contract.states import State
from lightwell.errors import NotFound
from lightwell.storage.states import joined_columns, state_of
from lightwell.storage.tables import task_run_state
from lightwell.storage.transaction import Reader

_STATES = sql_select(
    task_run_state.c.id,
    task_run_state.c.type,
    task_run_state.c.name,
    task_run_state.c.timestamp,
    *joined_columns(task_run_state),
)
_BY_ID = _STATES.where(task_run_state.c.id == bindparam("state_id"))
_BY_RUN = _STATES.where(task_run_state.c.task_run_id == bindparam("task_run_id")).order_by(
    task_run_state.c.timestamp, task_run_state.c.id
)


def get(reader: Reader, state_id: UUID) -> State:
    """A state by its id; raises NotFound."""
    row = reader.execute(_BY_ID, {"state_id": state_id}).one_or_none()
    if row is None:
        raise NotFound("task_run_state")
    return state_of(*row)


def select(reader: Reader, task_run_id: UUID) -> Sequence[State]:
    """The states that a task run has been in, oldest first; none of a run that is not there."""
    return [state_of(*row) for row in reader.execute(_BY_RUN, {"task_run_id": task_run_id})]
