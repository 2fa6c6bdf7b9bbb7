"""Facts about flow runs and task runs alike: a change of state, and what its times say."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, NamedTuple
from uuid import UUID

from lightwell.contract.states import State, StateType
from lightwell.events.facts import Fact

RunKind = Literal["flow_run", "task_run"]


class RunTimes(NamedTuple):
    """What a change of state says of a run's times.

    `ran` is how long it had been running in all, where it ended and ever ran; `start_delay` how much later than
    expected it began, where it began to run for the first time.
    """

    ran: timedelta | None = None
    start_delay: timedelta | None = None


NO_TIMES = RunTimes()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStateChanged(Fact):
    """A run entered a state; `previous` and `current` are the types, for those who count."""

    kind: RunKind
    previous: StateType | None
    current: StateType
    times: RunTimes = NO_TIMES


def task_run_state_changed(
    task_run_id: UUID, previous: State | None, current: State, times: RunTimes
) -> RunStateChanged:
    """State that a task run went from `previous` to `current` here; it is no event: clients report those."""
    return RunStateChanged(
        id=current.id,
        occurred=current.timestamp,
        event=f"prefect.task-run.{current.name}",
        resource={"prefect.resource.id": f"prefect.task-run.{task_run_id}"},
        is_event=False,
        kind="task_run",
        previous=None if previous is None else previous.type,
        current=current.type,
        times=times,
    )
