"""Rows of inputs of flow runs."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam
from sqlalchemy import delete as sql_delete
from sqlalchemy import select as sql_select

from lightwell.contract.flow_run_inputs import FlowRunInput
from lightwell.errors import Conflict, NotFound
from lightwell.kit.ids import new_id
from lightwell.storage.conflicts import insert_if_absent
from lightwell.storage.filters.dialects import is_one_of, starts_with
from lightwell.storage.tables import flow_run_input
from lightwell.storage.transaction import Reader, Transaction

_INPUTS = sql_select(
    flow_run_input.c.id,
    flow_run_input.c.created,
    flow_run_input.c.updated,
    flow_run_input.c.flow_run_id,
    flow_run_input.c.key,
    flow_run_input.c.value,
    flow_run_input.c.sender,
)
_ONE = (flow_run_input.c.flow_run_id == bindparam("flow_run_id"), flow_run_input.c.key == bindparam("input_key"))
_BY_KEY = _INPUTS.where(*_ONE)
_INSERT = insert_if_absent(flow_run_input)
_DELETE = sql_delete(flow_run_input).where(*_ONE)


def find(reader: Reader, flow_run_id: UUID, key: str) -> FlowRunInput | None:
    """The input of a flow run under a key, or None."""
    row = reader.execute(_BY_KEY, {"flow_run_id": flow_run_id, "input_key": key}).one_or_none()
    return None if row is None else _input(row)


def get(reader: Reader, flow_run_id: UUID, key: str) -> FlowRunInput:
    """The same as `find`; raises NotFound."""
    found = find(reader, flow_run_id, key)
    if found is None:
        raise NotFound("flow_run_input")
    return found


def select(
    reader: Reader, flow_run_id: UUID, *, prefix: str = "", limit: int, exclude_keys: Sequence[str] = ()
) -> list[FlowRunInput]:
    """The inputs of a flow run whose keys begin so, oldest first."""
    statement = _INPUTS.where(flow_run_input.c.flow_run_id == flow_run_id)
    if prefix:
        statement = statement.where(starts_with(flow_run_input.c.key, prefix))
    if exclude_keys:
        statement = statement.where(~is_one_of(flow_run_input.c.key, exclude_keys))
    ordered = statement.order_by(flow_run_input.c.created, flow_run_input.c.id).limit(limit)
    return [_input(row) for row in reader.execute(ordered)]


def insert(tx: Transaction, flow_run_id: UUID, key: str, value: str, sender: str | None = None) -> FlowRunInput:
    """Keep an input; raises Conflict when there is one under the key, or no such flow run."""
    row = {
        "id": new_id(),
        "created": tx.now,
        "updated": tx.now,
        "flow_run_id": flow_run_id,
        "key": key,
        "value": value,
        "sender": sender,
    }
    if tx.execute(_INSERT[tx.dialect], row).rowcount == 0:
        raise Conflict("A flow run input with this key already exists.", constraint="pk_flow_run_input")
    return FlowRunInput.trusted(row)


def delete(tx: Transaction, flow_run_id: UUID, key: str) -> None:
    """Delete an input; raises NotFound."""
    if tx.execute(_DELETE, {"flow_run_id": flow_run_id, "input_key": key}).rowcount == 0:
        raise NotFound("flow_run_input")


def _input(row: Row[*tuple[Any, ...]]) -> FlowRunInput:
    return FlowRunInput.trusted(dict(row._mapping))  # noqa: SLF001 -- SQLAlchemy's public name for a row's columns
