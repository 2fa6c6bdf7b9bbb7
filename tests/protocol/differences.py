"""What Lightwell deliberately answers otherwise than the reference server, each with its reason.

Both transcripts are made alike before they are compared; what is not listed here must be equal.
"""

from collections.abc import Callable
from dataclasses import dataclass

from tests.protocol.scenario import Json


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A rule that makes two answers alike where they may differ."""

    reason: str
    alike: Callable[[str, dict[str, Json]], dict[str, Json]]
    """Takes the name of the scenario and a step's report, and gives the report to compare."""


def _without_trace_id(_: str, step: dict[str, Json]) -> dict[str, Json]:
    body = step.get("body")
    if step.get("status") in (409, 500, 503) and isinstance(body, dict):
        return {**step, "body": {name: value for name, value in body.items() if name != "trace_id"}}
    return step


def _own_words(_: str, step: dict[str, Json]) -> dict[str, Json]:
    return {name: _without_reasons(value) for name, value in step.items()}


def _without_reasons(value: Json) -> Json:
    if isinstance(value, list):
        return [_without_reasons(item) for item in value]
    if isinstance(value, dict):
        return {
            name: "<reason>" if name == "reason" and isinstance(item, str) else _without_reasons(item)
            for name, item in value.items()
        }
    return value


def _own_conflict(_: str, step: dict[str, Json]) -> dict[str, Json]:
    body = step.get("body")
    if step.get("status") == 409 and isinstance(body, dict) and "constraint was violated" in str(body.get("detail")):
        return {**step, "body": {"detail": "<conflict>"}}
    return step


DIFFERENCES = (
    Difference(
        reason="The bodies of 409, 500 and 503 also hold the trace id, by which the failure is found.",
        alike=_without_trace_id,
    ),
    Difference(
        reason="The reason of a verdict is a sentence for people, in our own words; that there is one is compared.",
        alike=_own_words,
    ),
)
