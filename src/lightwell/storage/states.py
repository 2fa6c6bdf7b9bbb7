"""States between the contract and the rows of either history: of flow runs and of task runs.

A run's row has a copy of its current state's id, type, name and timestamp; the rest is joined from the history. Details
are stored without what is at its default.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, FromClause, Insert, Table, Text, bindparam, insert, type_coerce

from lightwell.contract.states import State, StateDetails, StateType
from lightwell.storage.columns import from_text, to_text
from lightwell.storage.conflicts import insert_if_absent
from lightwell.storage.transaction import Dialect

STATE_TYPES: Mapping[str, StateType] = {kind.value: kind for kind in StateType}

_DEFAULT_DETAILS = dict(StateDetails().__dict__)
_NO_DETAILS = "{}"
_NOT_OF_EVERY_STATE = ("cache_key", "cache_expiration")


def joined_columns(history: FromClause) -> tuple[ColumnElement[Any], ...]:
    """The columns of a state that a run's row has no copy of, in the order in which `state_of` takes them."""
    return history.c.message, type_coerce(history.c.state_details, Text), type_coerce(history.c.data, Text)


def insertion(history: Table) -> Insert:
    """The statement that `state_values` are for."""
    return insert(history).values(_parameters(history))


def insertion_if_absent(history: Table) -> dict[Dialect, Insert]:
    """The same, by dialect, for a state that may be there already; `rowcount` tells."""
    return {dialect: statement.values(_parameters(history)) for dialect, statement in insert_if_absent(history).items()}


def state_of(
    state_id: UUID,
    kind: str,
    name: str | None,
    timestamp: datetime,
    message: str | None,
    details: str | None,
    data: str | None,
) -> State:
    """A state, from stored values; details and data as the text that is stored."""
    return State.trusted(
        {
            "id": state_id,
            "type": STATE_TYPES[kind],
            "name": name,
            "timestamp": timestamp,
            "message": message,
            "data": None if data is None else from_text(data),
            "state_details": _details_of(details),
        }
    )


def state_values(run_column: str, run_id: UUID, state: State) -> dict[str, Any]:
    """The columns that both histories have of a row."""
    return {
        "id": state.id,
        run_column: run_id,
        "timestamp": state.timestamp,
        "type": state.type.value,
        "name": state.name,
        "message": state.message,
        "state_details": state.state_details.model_dump_json(exclude_defaults=True),
        "data": None if state.data is None or _is_unpersisted(state.data) else to_text(state.data),
    }


def _parameters(history: Table) -> dict[str, BindParameter[Any]]:
    columns = [column for column in history.columns if column.name not in _NOT_OF_EVERY_STATE]
    return {column.name: bindparam(column.name, type_=_written_as(column)) for column in columns}


def _is_unpersisted(data: Any) -> bool:
    """Whether the data only say that the client keeps the result to itself; those are not kept here either."""
    return isinstance(data, dict) and data.get("type") == "unpersisted"


def as_stored(state: State) -> State:
    """The state as it will be read."""
    return state.model_copy(update={"data": None}) if _is_unpersisted(state.data) else state


def copied_values(state: State) -> dict[str, Any]:
    """The columns of a run that are copies of its current state's."""
    return {
        "state_id": state.id,
        "state_type": state.type.value,
        "state_name": state.name,
        "state_timestamp": state.timestamp,
    }


def _written_as(column: ColumnElement[Any]) -> Any:
    return Text() if column.key in ("state_details", "data") else column.type


def _details_of(text: str | None) -> StateDetails:
    if text is None or text == _NO_DETAILS:
        return StateDetails.trusted(dict(_DEFAULT_DETAILS))
    return StateDetails.model_validate_json(text)
