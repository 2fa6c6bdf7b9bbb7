"""The states that flow runs have been in."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import bindparam
from sqlalchemy import select as sql_select

from lightwell.contract.states import State
from lightwell.errors import NotFound
from lightwell.storage.states import joined_columns, state_of
from lightwell.storage.tables import flow_run_state
from lightwell.storage.transaction import Reader

_STATES = sql_select(
    flow_run_state.c.id,
    flow_run_state.c.type,
    flow_run_state.c.name,
    flow_run_state.c.timestamp,
    *joined_columns(flow_run_state),
)
_BY_ID = _STATES.where(flow_run_state.c.id == bindparam("state_id"))
_BY_RUN = _STATES.where(flow_run_state.c.flow_run_id == bindparam("flow_run_id")).order_by(
    flow_run_state.c.timestamp, flow_run_state.c.id
)
_NEWEST_OF_RUN = (
    _STATES.add_columns(flow_run_state.c.trace_id)
    .where(flow_run_state.c.flow_run_id == bindparam("flow_run_id"))
    .order_by(flow_run_state.c.timestamp.desc(), flow_run_state.c.id.desc())
    .limit(bindparam("most"))
)


def get(reader: Reader, state_id: UUID) -> State:
    """A state by its id; raises NotFound."""
    row = reader.execute(_BY_ID, {"state_id": state_id}).one_or_none()
    if row is None:
        raise NotFound("flow_run_state")
    return state_of(*row)


def select_newest(reader: Reader, flow_run_id: UUID, most: int) -> list[tuple[State, str | None]]:
    """At most so many of the states that a flow run came to last, oldest first, each with the trace that brought it."""
    rows = reader.execute(_NEWEST_OF_RUN, {"flow_run_id": flow_run_id, "most": most}).all()
    return [(state_of(*columns), trace_id) for *columns, trace_id in reversed(rows)]


def select(reader: Reader, flow_run_id: UUID) -> Sequence[State]:
    """The states that a flow run has been in, oldest first; none of a run that is not there."""
    return [state_of(*row) for row in reader.execute(_BY_RUN, {"flow_run_id": flow_run_id})]
