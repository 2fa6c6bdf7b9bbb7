"""What comes of proposing a state: a verdict, the state to go on with, and the reason."""

from enum import StrEnum
from typing import Literal
from uuid import UUID

from lightwell.contract.model import Envelope, Model
from lightwell.contract.states import State, StateCreate


class SetStateStatus(StrEnum):
    """The verdict on a proposed state."""

    ACCEPT = "ACCEPT"
    REJECT = "REJECT"
    ABORT = "ABORT"
    WAIT = "WAIT"


class AcceptDetails(Model):
    """The run is in the proposed state."""

    type: Literal["accept_details"] = "accept_details"


class RejectDetails(Model):
    """The run is in another state, which the client adopts."""

    type: Literal["reject_details"] = "reject_details"
    reason: str | None = None


class AbortDetails(Model):
    """The run stays as it was, and the client stops."""

    type: Literal["abort_details"] = "abort_details"
    reason: str | None = None


class WaitDetails(Model):
    """The run stays as it was, and the client asks again after `delay_seconds`."""

    type: Literal["wait_details"] = "wait_details"
    delay_seconds: int
    reason: str | None = None


VerdictDetails = AcceptDetails | WaitDetails | RejectDetails | AbortDetails
"""What belongs to a verdict; `type` tells which."""


class OrchestrationResult(Model):
    """The verdict on a proposed state, and the state that the run is in."""

    state: State | None
    status: SetStateStatus
    details: VerdictDetails


class FlowRunOrchestrationResult(Model):
    """The verdict for one flow run of many."""

    flow_run_id: UUID
    status: SetStateStatus
    state: State | None = None
    details: VerdictDetails


class FlowRunBulkStateSet(Model):
    """The verdict for each flow run."""

    results: list[FlowRunOrchestrationResult]


class SetState(Envelope):
    """A proposed state; `force` skips orchestration."""

    state: StateCreate
    force: bool = False
