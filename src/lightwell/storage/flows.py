"""Rows of flows."""

from collections.abc import Sequence
from typing import Any, Unpack
from uuid import UUID

from sqlalchemy import Row, bindparam, func
from sqlalchemy import delete as sql_delete
from sqlalchemy import select as sql_select
from sqlalchemy import update as sql_update

from lightwell.contract.flows import Flow, FlowCreate, FlowSort, FlowUpdate
from lightwell.errors import NotFound
from lightwell.kit.ids import new_id
from lightwell.storage.columns import Moment
from lightwell.storage.conflicts import insert_if_absent
from lightwell.storage.filters import Criteria
from lightwell.storage.filters.flows import order
from lightwell.storage.filters.related import of_flows
from lightwell.storage.tables import deleted_flow_run, flow, flow_run
from lightwell.storage.transaction import Reader, Transaction

_FLOWS = sql_select(flow.c.id, flow.c.created, flow.c.updated, flow.c.name, flow.c.tags, flow.c.labels)
_BY_ID = _FLOWS.where(flow.c.id == bindparam("flow_id"))
_BY_NAME = _FLOWS.where(flow.c.name == bindparam("flow_name"))
_INSERT = insert_if_absent(flow)
_UPDATE = sql_update(flow).where(flow.c.id == bindparam("flow_id"))
_MARK_LOGS = {
    dialect: statement.from_select(
        ["flow_run_id", "deleted"],
        sql_select(flow_run.c.id, bindparam("now", type_=Moment())).where(
            flow_run.c.flow_id.in_(bindparam("flow_ids", expanding=True))
        ),
    )
    for dialect, statement in insert_if_absent(deleted_flow_run).items()
}
_DELETE = sql_delete(flow).where(flow.c.id.in_(bindparam("flow_ids", expanding=True)))


def find(reader: Reader, flow_id: UUID) -> Flow | None:
    """A flow by its id, or None."""
    row = reader.execute(_BY_ID, {"flow_id": flow_id}).one_or_none()
    return None if row is None else _flow(row)


def get(reader: Reader, flow_id: UUID) -> Flow:
    """A flow by its id; raises NotFound."""
    found = find(reader, flow_id)
    if found is None:
        raise NotFound("flow")
    return found


def find_by_name(reader: Reader, name: str) -> Flow | None:
    """A flow by its name, or None."""
    row = reader.execute(_BY_NAME, {"flow_name": name}).one_or_none()
    return None if row is None else _flow(row)


def select(
    reader: Reader,
    *,
    sort: FlowSort = FlowSort.NAME_ASC,
    limit: int | None = None,
    offset: int = 0,
    **criteria: Unpack[Criteria],
) -> list[Flow]:
    """The flows that meet all criteria, in order; all of them where there is no limit."""
    statement = _FLOWS.where(*of_flows(criteria)).order_by(*order(sort)).limit(limit).offset(offset)
    return [_flow(row) for row in reader.execute(statement)]


def count(reader: Reader, **criteria: Unpack[Criteria]) -> int:
    """How many flows meet all criteria."""
    statement = sql_select(func.count()).select_from(flow).where(*of_flows(criteria))
    return int(reader.execute(statement).scalar_one())


def insert(tx: Transaction, proposed: FlowCreate) -> tuple[Flow, bool]:
    """The flow of this name, and whether it was made now; one that was there stays as it is."""
    existing = find_by_name(tx, proposed.name)
    if existing is not None:
        return existing, False
    values: dict[str, Any] = {
        "id": new_id(),
        "created": tx.now,
        "updated": tx.now,
        "name": proposed.name,
        "tags": proposed.tags,
        "labels": proposed.labels,
    }
    if tx.execute(_INSERT[tx.dialect], values).rowcount == 1:
        return Flow.trusted(values), True
    existing = find_by_name(tx, proposed.name)
    if existing is None:
        raise NotFound("flow")
    return existing, False


def update(tx: Transaction, flow_id: UUID, changes: FlowUpdate) -> None:
    """Change the members that were sent; raises NotFound."""
    values = changes.model_dump(include=changes.model_fields_set)
    if tx.execute(_UPDATE, {**values, "updated": tx.now, "flow_id": flow_id}).rowcount == 0:
        raise NotFound("flow")


def delete(tx: Transaction, flow_ids: Sequence[UUID]) -> int:
    """Delete flows with all that belongs to them, and leave what their runs logged to the background; how many."""
    tx.execute(_MARK_LOGS[tx.dialect], {"flow_ids": list(flow_ids), "now": tx.now})
    return tx.execute(_DELETE, {"flow_ids": list(flow_ids)}).rowcount


def _flow(row: Row[*tuple[Any, ...]]) -> Flow:
    return Flow.trusted(dict(row._mapping))  # noqa: SLF001 -- SQLAlchemy's public name for a row's columns
