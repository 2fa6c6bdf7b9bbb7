"""What Lightwell deliberately answers otherwise than the reference server, each with its reason.

Both transcripts are made alike before they are compared; what is not listed here must be equal.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from tests.protocol.scenario import Json

Step: TypeAlias = dict[str, Json]
_PROTOCOL_ERROR = 1002
_SENTENCES_THAT_MATTER = ("Missing CSRF token", "Missing client identifier", "Invalid CSRF token", "Not Found")
"""The stock client fetches a new token when it reads these; `Not Found` is the framework's own."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A rule that makes two answers alike where they may differ."""

    reason: str
    alike: Callable[[Step], Step]
    """Takes the report of a step from either server, and gives what is to be compared."""


def _everywhere(change: Callable[[dict[str, Json]], dict[str, Json]]) -> Callable[[Step], Step]:
    """Apply a change to a step and to every object within it."""

    def changed(value: Json) -> Json:
        if isinstance(value, list):
            return [changed(item) for item in value]
        if isinstance(value, dict):
            return {name: changed(item) for name, item in change(value).items()}
        return value

    return lambda step: {name: changed(item) for name, item in change(step).items()}


def _of_answers(*status: int) -> Callable[[Callable[[dict[str, Json]], Json]], Callable[[Step], Step]]:
    """Apply a change to the bodies of answers with one of these status codes."""

    def of(change: Callable[[dict[str, Json]], Json]) -> Callable[[Step], Step]:
        def alike(step: Step) -> Step:
            body = step.get("body")
            return {**step, "body": change(body)} if step.get("status") in status and isinstance(body, dict) else step

        return alike

    return of


@_of_answers(409, 500, 503)
def _without_trace_id(body: dict[str, Json]) -> Json:
    return {name: value for name, value in body.items() if name != "trace_id"}


@_of_answers(400, 403, 404, 409)
def _without_sentence(body: dict[str, Json]) -> Json:
    sentence = str(body.get("detail"))
    matters = any(words in sentence for words in _SENTENCES_THAT_MATTER)
    return body if matters or "detail" not in body else {"detail": "<sentence>"}


@_everywhere
def _without_reason(value: dict[str, Json]) -> dict[str, Json]:
    return {name: "<reason>" if name == "reason" else item for name, item in value.items()}


@_everywhere
def _without_traceparent(value: dict[str, Json]) -> dict[str, Json]:
    return {name: item for name, item in value.items() if name != "__OTEL_TRACEPARENT"}


@_everywhere
def _rejected_alike(value: dict[str, Json]) -> dict[str, Json]:
    details = value.get("details")
    if value.get("status") == "REJECT" and isinstance(details, dict):
        return {**value, "details": {**details, "type": "<rejected>"}}
    return value


@_everywhere
def _closed_alike(value: dict[str, Json]) -> dict[str, Json]:
    if "closed" not in value:
        return value
    closed = value["closed"]
    nonsense = isinstance(closed, list) and closed[0] == _PROTOCOL_ERROR and closed[1] != "Expected 'filter' message"
    return {**value, "closed": "<broken off>"} if closed is None or nonsense else value


@_everywhere
def _resumed_alike(value: dict[str, Json]) -> dict[str, Json]:
    policy = value.get("empirical_policy")
    if value.get("state_type") in ("PAUSED", "FAILED") and isinstance(policy, dict):
        return {**value, "empirical_policy": {**policy, "resuming": "<of no account>"}}
    return value


@_everywhere
def _told_alike(value: dict[str, Json]) -> dict[str, Json]:
    own = value.get("type") == "FAILED" and "resumed" in str(value.get("message"))
    return {**value, "message": "<sentence>"} if own else value


@_everywhere
def _defaults_alike(value: dict[str, Json]) -> dict[str, Json]:
    return {**value, "job_variables": value["job_variables"] or {}} if "job_variables" in value else value


def _without_challenge(step: Step) -> Step:
    return {name: value for name, value in step.items() if name != "www-authenticate"}


def _retry_after_alike(step: Step) -> Step:
    return {**step, "retry-after": float(str(step["retry-after"]))} if "retry-after" in step else step


DIFFERENCES = (
    Difference(
        reason="The bodies of 409, 500 and 503 also hold the trace id, by which the failure is found.",
        alike=_without_trace_id,
    ),
    Difference(
        reason="What is wrong is told in our own words, but for the sentences that clients look for.",
        alike=_without_sentence,
    ),
    Difference(
        reason="The reason of a verdict is a sentence for people, in our own words; that there is one is compared.",
        alike=_without_reason,
    ),
    Difference(
        reason="The server roots a trace: a flow run is made with a traceparent among its labels.",
        alike=_without_traceparent,
    ),
    Difference(
        reason="A rejection's details are always those of a rejection; there, a resume that is rejected says abort.",
        alike=_rejected_alike,
    ),
    Difference(
        reason="A frame that makes no sense ends a connection with a close code; there, the connection just breaks.",
        alike=_closed_alike,
    ),
    Difference(
        reason="A resume that is rejected leaves the run as it was; there, it stays marked as resuming.",
        alike=_resumed_alike,
    ),
    Difference(
        reason="The message of a state that the server sets by itself is in our own words.",
        alike=_told_alike,
    ),
    Difference(
        reason="A run has job variables, if none then an empty object; there, an idempotency key makes them null.",
        alike=_defaults_alike,
    ),
    Difference(
        reason="A 401 names the way to authenticate, as RFC 9110 wants it.",
        alike=_without_challenge,
    ),
    Difference(
        reason="Retry-After is a whole number where it can be, as RFC 9110 wants it.",
        alike=_retry_after_alike,
    ),
)
