"""Statements are counted by the kind of their unit, whichever thread executed them."""

import httpx

from tests.signals.conftest import Signals

ID = "01890a5d-ac96-774b-bcce-b302099a8057"


def counted(signals: Signals) -> dict[str, int]:
    """Statements so far, by kind."""
    return {
        point.attributes["lightwell.db.unit.kind"]: point.value for point in signals.points("lightwell.db.statements")
    }


async def test_statements_are_counted(client: httpx.AsyncClient, signals: Signals) -> None:
    """Each of three requests has a unit of two statements; one that fails has one. Nothing is counted elsewhere."""
    before = counted(signals)
    for _ in range(3):
        await client.post(f"/api/things/{ID}/set_state")
    await client.get("/api/things/fail/unit")

    after = counted(signals)
    assert {kind: after[kind] - before[kind] for kind in after} == {"read": 0, "write": 7}
