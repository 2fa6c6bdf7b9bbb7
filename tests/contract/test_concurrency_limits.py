"""Concurrency limits."""

from typing import Any
from uuid import uuid4

import pytest
from pydantic import BaseModel, ValidationError

from lightwell.contract.concurrency_limits import (
    ConcurrencyLimitCreate,
    ConcurrencyLimitUpdate,
    GiveSlotsBack,
    RenewLease,
    TagLimitCreate,
    TagLimitReset,
    TakeSlots,
    TakeSlotsWithLease,
)

LIMIT = {"name": "db", "limit": 2}
SLOTS = {"names": ["db"], "slots": 1}
HOLDER = {"type": "flow_run", "id": str(uuid4())}


@pytest.mark.parametrize(
    ("model", "body"),
    [
        (ConcurrencyLimitCreate, LIMIT),
        (ConcurrencyLimitCreate, LIMIT | {"limit": 0, "slot_decay_per_second": 0.5}),
        (ConcurrencyLimitUpdate, {}),
        (ConcurrencyLimitUpdate, {"name": None, "active": None}),
        (TagLimitCreate, {"tag": "a/b", "concurrency_limit": 0}),
        (TagLimitReset, None),
        (TagLimitReset, {"slot_override": []}),
        (TakeSlots, SLOTS | {"names": []}),
        (TakeSlots, SLOTS | {"mode": "rate_limit", "create_if_missing": None, "nope": 1}),
        (TakeSlotsWithLease, SLOTS | {"lease_duration": None, "holder": HOLDER}),
        (GiveSlotsBack, SLOTS | {"occupancy_seconds": None}),
        (RenewLease, None),
        (RenewLease, {"lease_duration": 86400}),
    ],
)
def test_what_the_contract_allows_is_taken(model: type[BaseModel], body: object) -> None:
    """Members have defaults, and null is one of them."""
    model.model_validate(body)


@pytest.mark.parametrize(
    ("model", "body"),
    [
        (ConcurrencyLimitCreate, LIMIT | {"limit": -1}),
        (ConcurrencyLimitCreate, LIMIT | {"limit": 10**12}),
        (ConcurrencyLimitCreate, LIMIT | {"name": "a/b"}),
        (ConcurrencyLimitCreate, LIMIT | {"slot_decay_per_second": float("nan")}),
        (ConcurrencyLimitCreate, LIMIT | {"nope": 1}),
        (ConcurrencyLimitUpdate, {"nope": 1}),
        (TagLimitCreate, {"tag": "a", "concurrency_limit": 10**12}),
        (TakeSlots, SLOTS | {"slots": 0}),
        (TakeSlots, SLOTS | {"mode": "greedy"}),
        (TakeSlotsWithLease, SLOTS | {"lease_duration": 59}),
        (TakeSlotsWithLease, SLOTS | {"lease_duration": 86401}),
        (TakeSlotsWithLease, SLOTS | {"lease_duration": float("nan")}),
        (TakeSlotsWithLease, SLOTS | {"holder": HOLDER | {"nope": 1}}),
        (TakeSlotsWithLease, SLOTS | {"holder": {"type": "cat", "id": str(uuid4())}}),
        (GiveSlotsBack, SLOTS | {"occupancy_seconds": 0}),
        (RenewLease, {"lease_duration": 1}),
    ],
)
def test_what_the_contract_forbids_is_refused(model: type[BaseModel], body: dict[str, Any]) -> None:
    """Numbers have bounds, and leases last a minute to a day."""
    with pytest.raises(ValidationError):
        model.model_validate(body)
