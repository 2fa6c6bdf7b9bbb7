"""Rows of logs."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, func, tuple_
from sqlalchemy import delete as sql_delete
from sqlalchemy import insert as sql_insert
from sqlalchemy import select as sql_select

from lightwell.contract.logs import Log, LogCreate, LogFilter, LogSort
from lightwell.kit.ids import new_id
from lightwell.storage.columns import Id, Moment
from lightwell.storage.filters.logs import clause, order
from lightwell.storage.prepared import Prepared
from lightwell.storage.tables import deleted_flow_run, log
from lightwell.storage.transaction import Reader, Transaction

_LOGS = sql_select(
    log.c.id,
    log.c.created,
    log.c.created.label("updated"),
    log.c.name,
    log.c.level,
    log.c.message,
    log.c.timestamp,
    log.c.flow_run_id,
    log.c.task_run_id,
)
_INSERT = Prepared(sql_insert(log))
_OF_RUN = _LOGS.where(log.c.flow_run_id == bindparam("flow_run_id")).order_by(log.c.timestamp, log.c.id)
_AFTER = _OF_RUN.where(
    tuple_(log.c.timestamp, log.c.id) > tuple_(bindparam("timestamp", type_=Moment()), bindparam("log_id", type_=Id()))
)

_doomed = log.alias("doomed")


def _deletion(*where: Any) -> Any:
    keys = sql_select(_doomed.c.timestamp, _doomed.c.id).where(*where).order_by(_doomed.c.timestamp, _doomed.c.id)
    return sql_delete(log).where(tuple_(log.c.timestamp, log.c.id).in_(keys.limit(bindparam("most"))))


_DELETE_BEFORE = _deletion(_doomed.c.timestamp < bindparam("before", type_=Moment()))
_DELETE_OF_RUN = _deletion(_doomed.c.flow_run_id == bindparam("flow_run_id", type_=Id()))
# Locked, because two that delete at once would find fewer lines than there are, and forget the run too early.
_FORGOTTEN = (
    sql_select(deleted_flow_run.c.flow_run_id)
    .order_by(deleted_flow_run.c.flow_run_id)
    .limit(1)
    .with_for_update(skip_locked=True)
)
_FORGET = sql_delete(deleted_flow_run).where(deleted_flow_run.c.flow_run_id == bindparam("flow_run_id"))


def insert(tx: Transaction, lines: Sequence[LogCreate]) -> list[Log]:
    """Keep lines, in the order in which they come."""
    rows = [{**line.__dict__, "id": new_id(), "created": tx.now} for line in lines]
    if rows:
        tx.change(_INSERT, rows)
    return [Log.trusted({**row, "updated": tx.now}) for row in rows]


def select(
    reader: Reader,
    criteria: LogFilter | None = None,
    *,
    sort: LogSort = LogSort.TIMESTAMP_ASC,
    limit: int | None = None,
    offset: int = 0,
) -> list[Log]:
    """The lines that meet the criteria, in order; all of them where there is no limit."""
    statement = _LOGS if criteria is None else _LOGS.where(clause(criteria))
    return [_log(row) for row in reader.execute(statement.order_by(*order(sort)).limit(limit).offset(offset))]


def select_after(
    reader: Reader, flow_run_id: UUID, *, after: tuple[datetime, UUID] | None = None, limit: int
) -> list[Log]:
    """The lines of a flow run that come after the one of this timestamp and id, oldest first: a long log in parts."""
    if after is None:
        rows = reader.execute(_OF_RUN.limit(limit), {"flow_run_id": flow_run_id})
    else:
        position = {"timestamp": after[0], "log_id": after[1]}
        rows = reader.execute(_AFTER.limit(limit), {"flow_run_id": flow_run_id, **position})
    return [_log(row) for row in rows]


def select_by_keys(reader: Reader, keys: Sequence[tuple[datetime, UUID]]) -> list[Log]:
    """The lines of these timestamps and ids that are stored, oldest first."""
    if not keys:
        return []
    timestamps, ids = [key[0] for key in keys], [key[1] for key in keys]
    statement = _LOGS.where(log.c.timestamp.in_(timestamps), log.c.id.in_(ids))
    return [_log(row) for row in reader.execute(statement.order_by(log.c.timestamp, log.c.id))]


def count(reader: Reader, criteria: LogFilter | None = None) -> int:
    """How many lines meet the criteria."""
    statement = sql_select(func.count()).select_from(log)
    return int(reader.execute(statement if criteria is None else statement.where(clause(criteria))).scalar_one())


def delete_before(tx: Transaction, before: datetime, *, most: int) -> int:
    """Delete the oldest lines, older than an instant and at most so many; how many there were."""
    return tx.execute(_DELETE_BEFORE, {"before": before, "most": most}).rowcount


def delete_orphans(tx: Transaction, *, most: int) -> int | None:
    """Delete at most so many lines of one flow run that is gone; how many, or None when no such run is left to us."""
    flow_run_id = tx.execute(_FORGOTTEN).scalar_one_or_none()
    if flow_run_id is None:
        return None
    deleted = tx.execute(_DELETE_OF_RUN, {"flow_run_id": flow_run_id, "most": most}).rowcount
    if deleted < most:
        tx.execute(_FORGET, {"flow_run_id": flow_run_id})
    return deleted


def _log(row: Row[*tuple[Any, ...]]) -> Log:
    return Log.trusted(dict(row._mapping))  # noqa: SLF001 -- SQLAlchemy's public name for a row's columns
