"""States that are proposed, and the small calculations around them."""

from typing import Any

import pytest

from lightwell.contract.states import StateCreate, StateType
from lightwell.orchestration.client_versions import renews_leases
from lightwell.orchestration.intervals import spread
from lightwell.orchestration.proposals import lateness, propose, resumption
from tests.orchestration.building import LATER, NOW, had


@pytest.mark.parametrize(
    "asked", [{"type": "SCHEDULED"}, {"type": "PENDING", "name": "Submitting", "message": "m", "data": 1}]
)
def test_propose(asked: dict[str, Any]) -> None:
    """What a client asks for gets an identity and a moment; nothing else is added."""
    create = StateCreate.model_validate(asked)
    proposed = propose(create, NOW)
    assert proposed.timestamp == NOW
    assert propose(create, NOW).id != proposed.id
    assert proposed.model_dump(exclude={"id", "timestamp"}) == create.model_dump()


def test_resumption() -> None:
    """A suspended run is scheduled anew, a paused one runs."""
    suspended = resumption(had("PAUSED", "Suspended", pause_reschedule=True), NOW)
    assert (suspended.type, suspended.name) == (StateType.SCHEDULED, "Resuming")
    assert suspended.state_details.scheduled_time == NOW
    assert resumption(had("PAUSED"), NOW).type is StateType.RUNNING


def test_lateness() -> None:
    """A late run stays scheduled for the time that has passed."""
    late = lateness(LATER, NOW)
    assert (late.type, late.name, late.state_details.scheduled_time) == (StateType.SCHEDULED, "Late", LATER)


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        (None, False),
        ("", False),
        ("2.20.4", False),
        ("3.4.10", False),
        ("3.4.11.dev2", False),
        ("3.4.11rc1", False),
        ("3.4.11", True),
        ("3.4.11+3.gabc", True),
        ("3.4.12.dev1", True),
        ("3.10.0", True),
        ("4.0.0a1", True),
        ("three", False),
    ],
)
def test_renews_leases(version: str | None, *, expected: bool) -> None:
    """Clients renew leases since 3.4.11; pre-releases of it do not count."""
    assert renews_leases(version) is expected


@pytest.mark.parametrize("factor", [0.01, 0.3, 1.0, 60.0, 5000.0])
@pytest.mark.parametrize("chance", [0.0, 0.3, 0.9999999])
def test_spread_keeps_its_bounds(factor: float, chance: float) -> None:
    """Never negative, never more than the factor above the average."""
    assert 0 <= spread(10, factor, lambda: chance) <= 10 * (1 + factor) * 1.0001
    assert spread(0, factor, lambda: chance) == 0.0
