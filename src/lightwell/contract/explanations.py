"""Why a flow run is where it is: the answer of `GET /flow_runs/{id}/explain`, which the reference does not have.

Codes and kinds are stable; texts are for people and may change.
"""

from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from lightwell.contract.model import Instant, Model
from lightwell.contract.states import StateType

TraceId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$", description="32 hexadecimal digits")]
"""The id of a trace of the server or of the client."""


class ReasonCode(StrEnum):
    """What kind of reason it is."""

    NO_STATE = "NO_STATE"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CRASHED = "CRASHED"
    CANCELLED = "CANCELLED"
    TASK_RUNS_FAILED = "TASK_RUNS_FAILED"
    PARENT_ENDED = "PARENT_ENDED"
    CANCELLING = "CANCELLING"
    PAUSED = "PAUSED"
    SUSPENDED = "SUSPENDED"
    POOL_PAUSED = "POOL_PAUSED"
    QUEUE_PAUSED = "QUEUE_PAUSED"
    CONCURRENCY_LIMIT_FULL = "CONCURRENCY_LIMIT_FULL"
    NO_WORKER_POLLING = "NO_WORKER_POLLING"
    NO_DEPLOYMENT = "NO_DEPLOYMENT"
    AWAITING_CONCURRENCY_SLOT = "AWAITING_CONCURRENCY_SLOT"
    AWAITING_RETRY = "AWAITING_RETRY"
    AWAITING_SCHEDULED_TIME = "AWAITING_SCHEDULED_TIME"
    LATE = "LATE"
    LOOP_STALE = "LOOP_STALE"
    STARTING = "STARTING"
    NOT_STARTED = "NOT_STARTED"
    RUNNING = "RUNNING"
    SILENT = "SILENT"
    REFUSED = "REFUSED"


class Certainty(StrEnum):
    """How sure the server is: it knows, it concludes, or it cannot rule it out."""

    CERTAIN = "CERTAIN"
    LIKELY = "LIKELY"
    POSSIBLE = "POSSIBLE"


class EvidenceKind(StrEnum):
    """What a piece of evidence is."""

    CONCURRENCY_LIMIT = "concurrency_limit"
    DEPLOYMENT = "deployment"
    FLOW_RUN = "flow_run"
    LOOP = "loop"
    RULE = "rule"
    TASK_RUN = "task_run"
    WORK_POOL = "work_pool"
    WORK_QUEUE = "work_queue"
    ATTEMPTS = "attempts"
    DUE = "due"
    HOLDER = "holder"
    LAST_EVENT = "last_event"
    LAST_LOG = "last_log"
    LAST_POLLED = "last_polled"
    LAST_SUCCESS = "last_success"
    LAST_TASK_RUN_STATE = "last_task_run_state"
    PAUSE_KEY = "pause_key"
    PROCESS = "process"
    SLOTS = "slots"
    SLOTS_TAKEN = "slots_taken"
    TIMEOUT = "timeout"


class Evidence(Model):
    """Something that the server knows and that a reason rests on; `number` is of `unit`, `at` an instant."""

    kind: EvidenceKind
    id: UUID | None = None
    name: str | None = None
    number: float | None = None
    unit: str | None = None
    at: Instant | None = None
    text: str | None = None


class Reason(Model):
    """One reason, in words and in what it rests on; `since` when it holds."""

    code: ReasonCode
    certainty: Certainty
    text: str
    since: Instant | None = None
    evidence: list[Evidence] = Field(default_factory=list)


class StateEntered(Model):
    """The run came to a state; `seconds` is how long it stayed, null in a state that ended it."""

    kind: Literal["state"] = "state"
    at: Instant
    state_id: UUID
    type: StateType
    name: str
    message: str | None = None
    seconds: float | None = None
    trace_id: TraceId | None = None


class TransitionRefused(Model):
    """A state was proposed and refused by a rule, so often in a row; the trace is that of the last time."""

    kind: Literal["refusal"] = "refusal"
    at: Instant
    last: Instant
    times: int
    from_type: StateType | None = None
    type: StateType
    name: str
    rule: str
    verdict: Literal["REJECT", "WAIT", "ABORT"]
    reason: str | None = None
    trace_id: TraceId | None = None


ExplainedTransition = Annotated[StateEntered | TransitionRefused, Field(discriminator="kind")]
"""What happened to a run's state, or was kept from happening."""


class Explanation(Model):
    """Why a flow run is where it is, as far as this server knows at `now`.

    Reasons come in the order of their weight, and `headline` says the first one. `transitions` are in the order of
    time, without the oldest ones where `is_shortened`; `traces` are theirs, and the run's own last.
    """

    flow_run_id: UUID
    name: str
    flow_name: str
    deployment_name: str | None = None
    state_type: StateType | None = None
    state_name: str | None = None
    now: Instant
    headline: str
    reasons: list[Reason]
    transitions: list[ExplainedTransition]
    is_shortened: bool = False
    traces: list[TraceId]
