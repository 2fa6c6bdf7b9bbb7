"""States of flow runs and task runs: what a client proposes and what the server keeps."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from pydantic import Field, model_validator

from lightwell.contract.model import Input, Instant, Model
from lightwell.contract.values import JsonValue, Prose, Text


class StateType(StrEnum):
    """What a state means to orchestration; its name is free text."""

    SCHEDULED = "SCHEDULED"
    PENDING = "PENDING"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    CRASHED = "CRASHED"
    PAUSED = "PAUSED"
    CANCELLING = "CANCELLING"


TERMINAL_STATES = frozenset({StateType.COMPLETED, StateType.FAILED, StateType.CANCELLED, StateType.CRASHED})
"""A run in one of these does not go on by itself."""


class StateDetails(Model):
    """What a state says beside its type and name; the client keeps much of its own bookkeeping here."""

    flow_run_id: UUID | None = None
    task_run_id: UUID | None = None
    child_flow_run_id: UUID | None = None
    scheduled_time: Instant | None = None
    cache_key: Text | None = None
    cache_expiration: Instant | None = None
    deferred: bool | None = False
    untrackable_result: bool = False
    pause_timeout: Instant | None = None
    pause_reschedule: bool = False
    pause_key: Text | None = None
    run_input_keyset: dict[Text, Text] | None = None
    refresh_cache: bool | None = None
    retriable: bool | None = None
    transition_id: UUID | None = None
    task_parameters_id: UUID | None = None
    traceparent: Text | None = None
    deployment_concurrency_lease_id: UUID | None = None


class StateCreate(Input):
    """A state that a client proposes; the server gives it an id and a timestamp.

    Where it has no name, its type is its name; where it is SCHEDULED without a time, its time is now.
    """

    type: StateType
    name: Text | None = None
    message: Prose | None = None
    data: JsonValue | None = None
    state_details: StateDetails = Field(default_factory=StateDetails)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.name is None:
            self.name = self.type.value.capitalize()
        if self.type is StateType.SCHEDULED and self.state_details.scheduled_time is None:
            self.state_details.scheduled_time = datetime.now(UTC)
        return self


class State(Model):
    """A state as it is kept: one row of a run's history."""

    id: UUID
    type: StateType
    name: str | None = None
    timestamp: Instant
    message: str | None = None
    data: Any | None = None
    state_details: StateDetails = Field(default_factory=StateDetails)

    @model_validator(mode="after")
    def _default_name(self) -> Self:
        if self.name is None:
            self.name = self.type.value.capitalize()
        return self

    def is_scheduled(self) -> bool:
        """Whether the run waits for its time."""
        return self.type is StateType.SCHEDULED

    def is_terminal(self) -> bool:
        """Whether the run has ended."""
        return self.type in TERMINAL_STATES


class CountByState(Model):
    """How many runs are in a state of each type."""

    COMPLETED: int = 0
    PENDING: int = 0
    RUNNING: int = 0
    FAILED: int = 0
    CANCELLED: int = 0
    CRASHED: int = 0
    PAUSED: int = 0
    CANCELLING: int = 0
    SCHEDULED: int = 0
