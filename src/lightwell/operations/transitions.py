"""What flow runs and task runs share when they change state: looking up what the rules need, doing what they decide."""

from lightwell.contract.orchestration import (
    AbortDetails,
    AcceptDetails,
    OrchestrationResult,
    RejectDetails,
    SetStateStatus,
    VerdictDetails,
    WaitDetails,
)
from lightwell.contract.states import State
from lightwell.orchestration.decision import Decision, Status


def result_of(decision: Decision) -> OrchestrationResult:
    """The contract's answer to a proposed state."""
    return OrchestrationResult(
        state=decision.state, status=SetStateStatus(decision.status.value), details=_details_of(decision)
    )


def aborted(reason: str, state: State | None = None) -> OrchestrationResult:
    """The answer to a request that cannot be carried out for this run."""
    return OrchestrationResult(state=state, status=SetStateStatus.ABORT, details=AbortDetails(reason=reason))


def rejected(reason: str, state: State | None) -> OrchestrationResult:
    """The answer to a request that the run's present state does not allow."""
    return OrchestrationResult(state=state, status=SetStateStatus.REJECT, details=RejectDetails(reason=reason))


def _details_of(decision: Decision) -> VerdictDetails:
    match decision.status:
        case Status.ACCEPT:
            return AcceptDetails()
        case Status.WAIT:
            return WaitDetails(delay_seconds=decision.delay_seconds or 0, reason=decision.reason)
        case Status.REJECT:
            return RejectDetails(reason=decision.reason)
        case Status.ABORT:
            return AbortDetails(reason=decision.reason)
