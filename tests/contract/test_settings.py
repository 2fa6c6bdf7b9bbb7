"""The vocabulary of `GET /admin/settings`."""

import json

from pydantic import SecretStr

from lightwell.contract.settings import Settings


def test_defaults_are_those_of_the_contract() -> None:
    """Durations are written as ISO 8601, and groups lie in groups."""
    answer = json.loads(Settings().model_dump_json())
    assert answer["server"]["api"]["csrf_token_expiration"] == "PT1H"
    assert answer["server"]["services"]["late_runs"]["after_seconds"] == "PT15S"
    assert answer["server"]["services"]["db_vacuum"]["enabled"] == ["events"]
    assert answer["tasks"]["runner"]["thread_pool_max_workers"] is None
    assert answer["logging"]["to_api"]["batch_interval"] == 2.0


def test_secrets_are_not_told() -> None:
    """A secret that is set is shown as such, and not as what it is."""
    settings = Settings()
    server = settings.server.model_copy(
        update={"api": settings.server.api.model_copy(update={"auth_string": SecretStr("admin:hunter2")})}
    )
    answer = settings.model_copy(update={"server": server}).model_dump_json()
    assert "hunter2" not in answer
    assert json.loads(answer)["server"]["api"]["auth_string"] == "**********"
