"""Inputs of flow runs: what people and other runs have sent to a running flow."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from lightwell.contract.model import Envelope, Instant, Model
from lightwell.contract.values import Text

InputKey = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]+$")]
"""What an input is kept under: a part of URLs."""


class FlowRunInputCreate(Envelope):
    """An input to keep; `value` is opaque."""

    key: InputKey
    value: Text
    sender: Text | None = None


class FlowRunInputQuery(Envelope):
    """Which inputs of a flow run: those whose key starts so, oldest first."""

    prefix: Text
    limit: Annotated[int, Field(ge=0, le=2**31 - 1)] = 1
    exclude_keys: list[Text] = Field(default_factory=list)


class FlowRunInput(Model):
    """An input as it is kept."""

    id: UUID
    created: Instant | None
    updated: Instant | None
    flow_run_id: UUID
    key: str
    value: str
    sender: str | None = None
