"""Deleting what is old, a little at a time; each verb does a part that is small enough for one transaction."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from lightwell.instrumentation.operation import operation
from lightwell.storage import ended_flow_runs, events, flow_runs, leases, logs, task_runs
from lightwell.storage.ended_flow_runs import EndedFlowRun
from lightwell.storage.transaction import Transaction


@operation
def delete_ended(tx: Transaction, runs: Sequence[EndedFlowRun], before: datetime) -> int:
    """Delete those of these runs that still are over since before `before`, with all that is theirs; how many.

    What they logged goes in the background.
    """
    doomed = ended_flow_runs.claim(tx, [run.id for run in runs], before)
    if not doomed:
        return 0
    leases.release_holders(tx, "flow_run", doomed)
    return flow_runs.delete(tx, doomed)


@operation
def trim_ended(tx: Transaction, most: int, flow_run_id: UUID, before: datetime) -> int:
    """Delete at most so many parts of a run that is over since before `before` and has too many; how many.

    Task runs go first, then the states that it was in before.
    """
    if not ended_flow_runs.claim(tx, [flow_run_id], before):
        return 0
    doomed = ended_flow_runs.select_task_runs(tx, flow_run_id, most)
    if not doomed:
        return ended_flow_runs.delete_states(tx, flow_run_id, most)
    leases.release_holders(tx, "task_run", doomed)
    task_runs.delete(tx, doomed)
    return most


@operation
def delete_logs(tx: Transaction, most: int, before: datetime) -> int:
    """Delete at most so many log lines from before an instant, the oldest first; how many there were."""
    return logs.delete_before(tx, before, most=most)


@operation
def delete_events(tx: Transaction, most: int, before: datetime) -> int:
    """Delete at most so many events from before an instant, the oldest first; how many there were."""
    return events.delete_before(tx, before, most=most)


@operation
def delete_orphaned_logs(tx: Transaction, most: int) -> int:
    """Delete at most so many log lines of flow runs that are gone; how many, and the runs of which no line was left."""
    done = 0
    while done < most:
        deleted = logs.delete_orphans(tx, most=most - done)
        if deleted is None:
            break
        done += max(1, deleted)
    return done
