"""Facts about flows."""

from datetime import datetime
from typing import Literal

from lightwell.contract.flows import Flow
from lightwell.events.facts import Fact


def flow_changed(flow: Flow, what: Literal["created", "updated", "deleted"], occurred: datetime) -> Fact:
    """State that a flow was created, updated or deleted; the payload is the flow after it, or before its end."""
    return Fact(
        occurred=occurred,
        event=f"prefect.flow.{what}",
        resource={"prefect.resource.id": f"prefect.flow.{flow.id}", "prefect.resource.name": flow.name},
        payload={"name": flow.name, "tags": flow.tags, "labels": flow.labels or {}},
    )
