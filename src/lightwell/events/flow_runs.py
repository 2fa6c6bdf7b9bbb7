"""Facts about flow runs.

A fact of a state carries the state's own id, so that a client can tell the order of states from the order of events.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from lightwell.contract.states import State, StateType
from lightwell.events.facts import Labels
from lightwell.events.runs import NO_TIMES, RunKind, RunStateChanged, RunTimes

_LONGEST_MESSAGE = 100_000
_TIGHT = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowRunStateChanged(RunStateChanged):
    """A flow run entered a state."""

    kind: RunKind = "flow_run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Companion:
    """An object that a flow run belongs to: `kind` is its resource kind (`flow`, `deployment`, `work-pool`…)."""

    kind: str
    id: UUID
    name: str
    tags: Sequence[str] = ()
    labels: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowRunSubject:
    """What a fact says of the flow run itself."""

    id: UUID
    name: str
    run_count: int
    tags: Sequence[str] = ()
    companions: Sequence[Companion] = ()
    creator: tuple[str, UUID, str | None] | None = None
    """Who made it: kind of resource (`deployment`, `automation`), id and name."""


def flow_run_state_changed(
    run: FlowRunSubject, previous: State | None, current: State, times: RunTimes = NO_TIMES
) -> FlowRunStateChanged:
    """State that `run` went from `previous` to `current`."""
    is_close = previous is not None and abs(current.timestamp - previous.timestamp) < _TIGHT
    return FlowRunStateChanged(
        id=current.id,
        occurred=current.timestamp,
        event=f"prefect.flow-run.{current.name}",
        resource={
            "prefect.resource.id": f"prefect.flow-run.{run.id}",
            "prefect.resource.name": run.name,
            "prefect.run-count": str(run.run_count),
            "prefect.state-message": _shortened(current.message),
            "prefect.state-name": current.name or "",
            "prefect.state-timestamp": current.timestamp.isoformat(),
            "prefect.state-type": current.type.value,
        },
        related=_related(run),
        payload={
            "intended": {"from": previous and previous.type.value, "to": current.type.value},
            "initial_state": _outline(previous),
            "validated_state": _outline(current),
        },
        follows=previous.id if previous is not None and is_close else None,
        previous=None if previous is None else previous.type,
        current=current.type,
        times=times,
    )


def _related(run: FlowRunSubject) -> list[Labels]:
    related: list[Labels] = [
        {
            "prefect.resource.id": f"prefect.{companion.kind}.{companion.id}",
            "prefect.resource.role": companion.kind,
            "prefect.resource.name": companion.name,
            **(companion.labels or {}),
        }
        for companion in run.companions
    ]
    related += _tag_resources({*run.tags, *(tag for companion in run.companions for tag in companion.tags)})
    if run.creator is not None:
        kind, creator_id, name = run.creator
        creator = {"prefect.resource.id": f"prefect.{kind}.{creator_id}", "prefect.resource.role": "creator"}
        related.append(creator | {"prefect.resource.name": name} if name else creator)
    return related


def _tag_resources(tags: Iterable[str]) -> list[Labels]:
    return [{"prefect.resource.id": f"prefect.tag.{tag}", "prefect.resource.role": "tag"} for tag in sorted(tags)]


def _outline(state: State | None) -> dict[str, Any] | None:
    if state is None:
        return None
    outline: dict[str, Any] = {"type": state.type.value}
    if state.name:
        outline["name"] = state.name
    if state.message:
        outline["message"] = _shortened(state.message)
    if state.type is StateType.PAUSED:
        outline["pause_reschedule"] = str(state.state_details.pause_reschedule).lower()
    return outline


def _shortened(message: str | None) -> str:
    if message is None or len(message) <= _LONGEST_MESSAGE:
        return message or ""
    half = _LONGEST_MESSAGE // 2 - 2
    return f"{message[:half]}...{message[-half:]}"
