"""Proposed and kept states."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from pydantic import ValidationError

from lightwell.contract.states import State, StateCreate, StateType


@pytest.mark.parametrize(
    ("kind", "name"),
    [("SCHEDULED", "Scheduled"), ("RUNNING", "Running"), ("CANCELLING", "Cancelling"), ("CRASHED", "Crashed")],
)
def test_a_state_without_a_name_is_named_for_its_type(kind: str, name: str) -> None:
    """The name is the type in words, where the client gives none."""
    assert StateCreate.model_validate({"type": kind}).name == name
    assert StateCreate.model_validate({"type": kind, "name": None}).name == name
    assert StateCreate.model_validate({"type": kind, "name": "Mine"}).name == "Mine"


def test_a_scheduled_state_without_a_time_is_due_now() -> None:
    """SCHEDULED has a time in any case; other types have one only where they are given one."""
    scheduled = StateCreate(type=StateType.SCHEDULED).state_details.scheduled_time
    assert scheduled is not None
    assert abs(datetime.now(UTC) - scheduled) < timedelta(minutes=1)
    assert StateCreate(type=StateType.PENDING).state_details.scheduled_time is None


def test_a_scheduled_state_keeps_its_time() -> None:
    """A time that the client has given stays."""
    state = StateCreate.model_validate(
        {"type": "SCHEDULED", "state_details": {"scheduled_time": "2030-01-01T00:00:00"}}
    )
    assert state.state_details.scheduled_time == datetime(2030, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"type": "SLEEPING"},
        {"type": "RUNNING", "id": str(uuid4())},
        {"type": "RUNNING", "state_details": None},
        {"type": "RUNNING", "data": "\ud800"},
        {"type": "RUNNING", "state_details": {"transition_id": "x"}},
        {"type": "RUNNING", "state_details": {"scheduled_time": "99999-01-01"}},
    ],
)
def test_what_is_no_state_is_refused(body: dict[str, object]) -> None:
    """A state needs a type that exists, and knows its members."""
    with pytest.raises(ValidationError):
        StateCreate.model_validate(body)


def test_details_that_are_not_known_are_ignored() -> None:
    """Clients of other versions may say more about a state."""
    state = StateCreate.model_validate({"type": "RUNNING", "state_details": {"from_the_future": 1, "pause_key": "k"}})
    assert state.state_details.pause_key == "k"


def test_any_data_of_a_state_comes_back() -> None:
    """Data is any JSON."""
    data = {"type": "reference", "keys": [1, None, 2.5]}
    assert StateCreate.model_validate({"type": "COMPLETED", "data": data}).data == data


@pytest.mark.parametrize("kind", list(StateType))
def test_four_types_of_states_are_terminal(kind: StateType) -> None:
    """A run that has completed, failed, crashed or been cancelled does not go on by itself."""
    state = State(id=uuid4(), type=kind, timestamp=datetime.now(UTC))
    assert state.is_terminal() is (kind.value in {"COMPLETED", "FAILED", "CANCELLED", "CRASHED"})
    assert state.is_scheduled() is (kind.value == "SCHEDULED")
