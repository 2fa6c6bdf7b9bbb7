"""A flow that tells the world what it does."""

import sys

from prefect import flow
from prefect.events import emit_event


@flow
def eventful(resource: str) -> None:
    """Say that something was sold."""
    emit_event("shop.sold", resource={"prefect.resource.id": resource, "colour": "green"}, payload={"price": 3})


if __name__ == "__main__":
    eventful(sys.argv[1])
