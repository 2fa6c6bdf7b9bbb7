"""States that are proposed: those that a client asks for, and those that the server proposes itself."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from lightwell.contract.states import State, StateCreate, StateDetails, StateType
from lightwell.kit.ids import new_id


def propose(asked: StateCreate, now: datetime, identify: Callable[[], UUID] = new_id) -> State:
    """The state that a client asks for, with the identity and the moment that the server gives it."""
    # Without validation: what was asked is validated, and this is on every request that sets a state.
    return State.model_construct(
        id=identify(),
        type=asked.type,
        name=asked.name,
        timestamp=now,
        message=asked.message,
        data=asked.data,
        state_details=asked.state_details,
    )


def resumption(paused: State, now: datetime, identify: Callable[[], UUID] = new_id) -> State:
    """What to propose for a paused run that shall go on.

    A suspended one has lost its process and is scheduled anew; one that waits in its process runs.
    """
    if paused.state_details.pause_reschedule:
        details = StateDetails(scheduled_time=now)
        return State(id=identify(), type=StateType.SCHEDULED, name="Resuming", timestamp=now, state_details=details)
    return State(id=identify(), type=StateType.RUNNING, timestamp=now)


def lateness(scheduled_time: datetime, now: datetime, identify: Callable[[], UUID] = new_id) -> State:
    """What to propose for a run that should have started at `scheduled_time` and did not."""
    details = StateDetails(scheduled_time=scheduled_time)
    return State(id=identify(), type=StateType.SCHEDULED, name="Late", timestamp=now, state_details=details)
