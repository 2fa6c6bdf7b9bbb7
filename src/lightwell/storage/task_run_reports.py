"""Reports of clients on their task runs: written as they come, in any order, and once however often they come.

Each brings a state, which always joins the history; the run itself is moved only by a state later than the one that it
is in.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam
from sqlalchemy import select as sql_select
from sqlalchemy import update as sql_update

from lightwell.contract.states import State
from lightwell.storage import task_runs
from lightwell.storage.prepared import Prepared
from lightwell.storage.states import copied_values, insertion_if_absent, state_values
from lightwell.storage.tables import flow_run, task_run, task_run_state
from lightwell.storage.transaction import Transaction


class Outcome(Enum):
    """What became of a report."""

    MADE = "made"
    """The task run is new."""
    MOVED = "moved"
    """The task run is in the reported state now."""
    FILED = "filed"
    """The state came late: it is in the history, and the task run stays as it is."""
    KNOWN = "known"
    """The same state was reported before: nothing was changed."""
    ORPHANED = "orphaned"
    """The flow run does not exist: nothing was changed."""
    CLASHED = "clashed"
    """The id belongs to a task run of other keys, or is being made by somebody else: nothing was changed."""


_TIMESTAMP = sql_select(task_run.c.state_timestamp).where(task_run.c.id == bindparam("task_run_id"))
_TIMESTAMP_LOCKED = Prepared(_TIMESTAMP.with_for_update())
_FLOW_RUN = Prepared(sql_select(flow_run.c.id).where(flow_run.c.id == bindparam("flow_run_id")))
_UPDATE = Prepared(sql_update(task_run).where(task_run.c.id == bindparam("task_run_id")))
_INSERT_STATE = Prepared(insertion_if_absent(task_run_state))


def record(tx: Transaction, values: Mapping[str, Any], state: State) -> Outcome:
    """Write a report; `values` are columns of the task run by name, `id` and keys among them, without its state's."""
    task_run_id: UUID = values["id"]
    row = tx.find(_TIMESTAMP_LOCKED, {"task_run_id": task_run_id})
    if row is None:
        return _make(tx, values, state)
    if tx.change(_INSERT_STATE, state_values("task_run_id", task_run_id, state)) == 0:
        return Outcome.KNOWN
    (moved,) = row
    if moved is not None and moved >= state.timestamp:
        return Outcome.FILED
    changes = {name: value for name, value in values.items() if name not in ("id", "created")}
    tx.change(_UPDATE, {**changes, **copied_values(state), "updated": tx.now, "task_run_id": task_run_id})
    return Outcome.MOVED


def _make(tx: Transaction, values: Mapping[str, Any], state: State) -> Outcome:
    flow_run_id = values.get("flow_run_id")
    if flow_run_id is not None and tx.find(_FLOW_RUN, {"flow_run_id": flow_run_id}) is None:
        return Outcome.ORPHANED
    if task_runs.insert(tx, values, state) is not None:
        return Outcome.MADE
    same = task_runs.find_by_keys(tx, flow_run_id, values["task_key"], values["dynamic_key"])
    if same is None or same.id == values["id"]:
        return Outcome.CLASHED
    details = state.state_details.model_copy(update={"task_run_id": same.id})
    return record(tx, {**values, "id": same.id}, state.model_copy(update={"state_details": details}))
