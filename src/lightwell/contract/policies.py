"""How a run retries, and what pauses it has seen; `orchestration` acts on them.

The older members `max_retries` and `retry_delay_seconds` still count where the newer ones say nothing.
"""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from pydantic.config import JsonDict

from lightwell.contract.model import Model
from lightwell.contract.values import Int32, Seconds, Text

MAX_RETRY_DELAYS = 50
"""How many delays of its own each retry of a task may have."""

_OLDER: JsonDict = {"deprecated": True}


def _with_older_members(policy: object) -> object:
    if not isinstance(policy, dict) or not ("max_retries" in policy or "retry_delay_seconds" in policy):
        return policy
    filled: dict[str, Any] = dict(policy)
    if not filled.get("retries") and filled.get("max_retries", 0) != 0:
        filled["retries"] = filled["max_retries"]
    if not filled.get("retry_delay") and filled.get("retry_delay_seconds", 0) != 0:
        filled["retry_delay"] = filled["retry_delay_seconds"]
    return filled


class FlowRunPolicy(Model):
    """How a flow run retries (`retry_delay` in seconds) and how it pauses."""

    max_retries: Int32 = Field(default=0, json_schema_extra=_OLDER)
    retry_delay_seconds: float = Field(default=0, json_schema_extra=_OLDER)
    retries: Int32 | None = None
    retry_delay: Int32 | None = None
    pause_keys: set[Text] | None = Field(default_factory=set)
    resuming: bool | None = False
    retry_type: Literal["in_process", "reschedule"] | None = None

    _older = model_validator(mode="before")(_with_older_members)


_DelayInteger = Annotated[int, Field(ge=-(2**31), le=2**31)]
_DelayNumber = Annotated[float, Field(ge=-(2**31), le=2**31)]


class TaskRunPolicy(Model):
    """How a task run retries: `retry_delay` in seconds, for every retry alike or one for each."""

    max_retries: Int32 = Field(default=0, json_schema_extra=_OLDER)
    retry_delay_seconds: float = Field(default=0, json_schema_extra=_OLDER)
    retries: Int32 | None = None
    retry_delay: (
        _DelayInteger
        | _DelayNumber
        | Annotated[list[_DelayInteger], Field(max_length=MAX_RETRY_DELAYS)]
        | Annotated[list[_DelayNumber], Field(max_length=MAX_RETRY_DELAYS)]
        | None
    ) = None
    retry_jitter_factor: Seconds | None = None

    _older = model_validator(mode="before")(_with_older_members)
