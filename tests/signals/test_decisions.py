"""What rules of orchestration say is counted, where they object."""

import httpx

from tests.signals.conftest import Signals

ID = "01890a5d-ac96-774b-bcce-b302099a8057"


async def test_objections_are_counted_by_rule_and_verdict(client: httpx.AsyncClient, signals: Signals) -> None:
    """Each objection once; a rule that accepts is not counted."""
    for _ in range(3):
        await client.post(f"/api/things/{ID}/set_state")

    (point,) = signals.points("lightwell.run.verdicts")
    assert point.value == 3
    assert dict(point.attributes) == {"lightwell.rule": "prevent_duplicates", "lightwell.verdict": "REJECT"}
