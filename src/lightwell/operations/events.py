"""Taking in the events that clients send; those that report on task runs move them in the same transaction."""

from collections.abc import Sequence
from typing import Any

from lightwell.contract.events import ReceivedEvent
from lightwell.contract.task_runs import TaskRunReport
from lightwell.events.facts import Fact
from lightwell.events.runs import RunStateChanged
from lightwell.instrumentation.annotations import annotate
from lightwell.instrumentation.operation import operation
from lightwell.operations import task_run_reports
from lightwell.operations.run_times import times_told
from lightwell.storage import events
from lightwell.storage.transaction import Transaction


@operation
def record(tx: Transaction, received: Sequence[ReceivedEvent]) -> int:
    """Store events, each once however often it comes, and publish those that are new; how many those are."""
    annotate(events=len(received))
    new = events.insert(tx, received)
    for event in new:
        report = task_run_reports.report_in(event)
        if report is not None and task_run_reports.record(tx, event, report):
            tx.announce(_as_state_change(event, report.content))
        else:
            tx.announce(_as_fact(event))
    return len(new)


def _as_state_change(event: ReceivedEvent, report: TaskRunReport) -> Fact:
    return RunStateChanged(
        **_members(event),
        kind="task_run",
        previous=task_run_reports.previous_in(event),
        current=report.validated_state.type,
        times=times_told(report),
    )


def _as_fact(event: ReceivedEvent) -> Fact:
    return Fact(**_members(event))


def _members(event: ReceivedEvent) -> dict[str, Any]:
    return {
        "id": event.id,
        "occurred": event.occurred,
        "received": event.received,
        "event": event.event,
        "resource": event.resource,
        "related": event.related,
        "payload": event.payload,
        "follows": event.follows,
    }
