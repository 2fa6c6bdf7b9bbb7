"""Task runs that clients orchestrate themselves: what their events say is written as it is."""

from typing import Any, NamedTuple
from uuid import UUID

from pydantic import ValidationError

from lightwell.contract.events import RESOURCE_ID, RESOURCE_ROLE, ReceivedEvent
from lightwell.contract.states import State, StateDetails, StateType
from lightwell.contract.task_runs import TaskRunReport
from lightwell.instrumentation.annotations import annotate
from lightwell.storage import task_run_reports
from lightwell.storage.task_run_reports import Outcome
from lightwell.storage.transaction import Transaction

_EVENTS = "prefect.task-run."
_TASK_RUN = "prefect.task-run."
_FLOW_RUN = "prefect.flow-run."
_TOLD_ANEW = frozenset({Outcome.MADE, Outcome.MOVED, Outcome.FILED})
_STATE_TYPES = frozenset(StateType)


class Report(NamedTuple):
    """What one event says of a task run."""

    task_run_id: UUID
    flow_run_id: UUID | None
    content: TaskRunReport


def report_in(event: ReceivedEvent) -> Report | None:
    """The report that an event makes on a task run, or None; one that cannot be read is an event like others."""
    if not event.event.startswith(_EVENTS) or event.resource.get("prefect.orchestration") != "client":
        return None
    task_run_id = _id_in(event.resource[RESOURCE_ID], _TASK_RUN)
    if task_run_id is None:
        return None
    try:
        content = TaskRunReport.model_validate(event.payload)
    except ValidationError as error:
        annotate(unreadable_report=f"{error.error_count()} errors")
        return None
    return Report(task_run_id, _flow_run_of(event), content)


def record(tx: Transaction, event: ReceivedEvent, report: Report) -> bool:
    """Make or move the task run, and say whether the state is new.

    An older report than the one that it stands at joins its history alone.
    """
    run = report.content.task_run
    values: dict[str, Any] = run.model_dump(include=run.model_fields_set)
    if "task_inputs" in values:
        values["task_inputs"] = run.model_dump(mode="json", include={"task_inputs"})["task_inputs"]
    values |= {"id": report.task_run_id, "flow_run_id": report.flow_run_id}
    outcome = task_run_reports.record(tx, values, _state(event, report))
    annotate(flow_run_id=report.flow_run_id, task_run_report=outcome.value)
    return outcome in _TOLD_ANEW


def previous_in(event: ReceivedEvent) -> StateType | None:
    """The type of the state that the task run was in before, as the client tells it."""
    initial = event.payload.get("initial_state")
    told = initial.get("type") if isinstance(initial, dict) else None
    return StateType(told) if isinstance(told, str) and told in _STATE_TYPES else None


def _state(event: ReceivedEvent, report: Report) -> State:
    told = report.content.validated_state
    details: StateDetails = told.state_details
    details.task_run_id = report.task_run_id
    details.flow_run_id = report.flow_run_id
    return State(
        id=event.id,
        type=told.type,
        name=told.name,
        timestamp=event.occurred,
        message=told.message,
        data=told.data,
        state_details=details,
    )


def _flow_run_of(event: ReceivedEvent) -> UUID | None:
    for resource in event.related:
        if resource[RESOURCE_ROLE] == "flow-run":
            return _id_in(resource[RESOURCE_ID], _FLOW_RUN)
    return None


def _id_in(resource_id: str, prefix: str) -> UUID | None:
    if not resource_id.startswith(prefix):
        return None
    try:
        return UUID(resource_id.removeprefix(prefix))
    except ValueError:
        return None
