"""Taking in the events that clients send; those that report on task runs move them in the same transaction."""

from collections.abc import Sequence

from lightwell.contract.events import ReceivedEvent
from lightwell.events.facts import Fact
from lightwell.instrumentation.annotations import annotate
from lightwell.instrumentation.operation import operation
from lightwell.operations import task_run_reports
from lightwell.storage import events
from lightwell.storage.transaction import Transaction


@operation
def record(tx: Transaction, received: Sequence[ReceivedEvent]) -> None:
    """Store events, each once however often it comes, and publish those that are new."""
    annotate(events=len(received))
    new = events.insert(tx, received)
    for event in new:
        report = task_run_reports.report_in(event)
        if report is not None:
            task_run_reports.record(tx, event, report)
        tx.announce(_as_fact(event))


def _as_fact(event: ReceivedEvent) -> Fact:
    return Fact(
        id=event.id,
        occurred=event.occurred,
        received=event.received,
        event=event.event,
        resource=event.resource,
        related=event.related,
        payload=event.payload,
        follows=event.follows,
    )
