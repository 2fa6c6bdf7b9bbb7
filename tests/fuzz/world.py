"""What exists on the server while it is fuzzed, so that made-up requests meet real objects."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Final
from uuid import UUID, uuid4

from schemathesis import Case

from tests.fuzz.wire import Answer, Served

_TIME: Final = "2026-06-01T12:00:00Z"
_STATES: Final[tuple[Mapping[str, Any], ...]] = (
    {"type": "SCHEDULED"},
    {"type": "SCHEDULED", "state_details": {"scheduled_time": "9999-12-31T23:59:59Z"}},
    {"type": "PENDING"},
    {"type": "RUNNING"},
    {"type": "PAUSED", "state_details": {"pause_timeout": "2036-06-01T12:00:00Z", "pause_key": "k"}},
    {"type": "CANCELLING"},
    {"type": "COMPLETED", "data": {"type": "literal", "value": [1]}},
    {"type": "FAILED", "message": "it broke"},
)
_KINDS: Final = {
    "/flows": "flow",
    "/flow_runs": "flow_run",
    "/flow_run_states": "state",
    "/task_runs": "task_run",
    "/task_run_states": "state",
    "/concurrency_limits": "tag_limit",
    "/v2/concurrency_limits": "limit",
    "/ui/task_runs": "task_run",
}
_USUAL: Final[Mapping[str, Sequence[Any]]] = {
    "history_start": ["2026-06-01T00:00:00Z"],
    "history_end": ["2026-06-02T00:00:00Z", "2036-06-02T00:00:00Z"],
    "history_interval_seconds": [3600, 86400.5],
    "since": ["2026-01-01T00:00:00Z"],
    "until": ["2036-01-01T00:00:00Z"],
    "after_": [_TIME],
    "limit": [0, 5, 50],
    "offset": [0, 1],
    "resource": [{"prefect.resource.id": "prefect.flow-run.1", "prefect.resource.name": "r"}],
    "related": [[], [{"prefect.resource.id": "r", "prefect.resource.role": "flow"}]],
}
"""What schemas cannot say: that one member goes with another."""
_OFTEN: Final = 0.6
_WORDS: Final = {"name": "name", "tag": "tag", "key": "key", "id_or_name": "limit_name", "work_queue_name": "name"}


class World:
    """Objects of every kind, made anew by each `renew`."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._known: dict[str, list[str]] = {}

    def renew(self) -> None:
        """Forget what may have been deleted meanwhile, and make objects of every kind."""
        known = self._known
        for found in known.values():
            del found[:-20]
        flow = self._make("flow", "/api/flows/", {"name": f"flow-{uuid4().hex}", "tags": ["red"], "labels": {"a": 1}})
        self._know("name", flow["name"])
        for state in _STATES:
            run = self._make("flow_run", "/api/flow_runs/", {"flow_id": flow["id"], "name": "run", "tags": ["red"]})
            self._served.ask_json("POST", f"/api/flow_runs/{run['id']}/set_state", {"state": state, "force": True})
            self._know("state", run["state_id"])
        self._make_task_runs(known["flow_run"][-5])
        self._tell_about(known["flow_run"][-5])
        tag, name = f"tag-{uuid4().hex}", f"limit-{uuid4().hex}"
        self._make("tag_limit", "/api/concurrency_limits/", {"tag": tag, "concurrency_limit": 2})
        self._know("tag", tag)
        self._make("limit", "/api/v2/concurrency_limits/", {"name": name, "limit": 3, "slot_decay_per_second": 0.1})
        self._know("limit_name", name)
        lease = self._served.ask_json(
            "POST", "/api/v2/concurrency_limits/increment-with-lease", {"slots": 1, "names": [name]}
        )
        self._know("lease", lease.json()["lease_id"])

    def one(self, kind: str) -> str:
        """The newest object of a kind: its id, or its name."""
        return self._known[kind][-1]

    def filled_in(self, value: Any) -> Any:
        """The same value with objects that exist for `{kind}`."""
        if isinstance(value, dict):
            return {key: self.filled_in(one) for key, one in value.items()}
        if isinstance(value, list):
            return [self.filled_in(one) for one in value]
        if isinstance(value, str):
            for kind in self._known:
                value = value.replace(f"{{{kind}}}", self.one(kind))
        return value

    def is_put_into(self, case: Case[Any], random: Random) -> bool:
        """Put objects that exist into a made-up request; whether it can be sent at all."""
        if isinstance(case.path_parameters, dict):
            case.path_parameters = self._put_into_path(case.path, case.path_parameters, random)
        if isinstance(case.query, dict):
            case.query = self._put_into(case.query, random)
        if isinstance(case.body, dict | list):
            case.body = self._put_into(case.body, random)
        try:
            case.as_transport_kwargs(base_url="http://lightwell.test/api")
        except (ValueError, TypeError):
            return False
        return True

    def _put_into(self, value: Any, random: Random, name: str = "") -> Any:
        if name in _USUAL and random.random() < _OFTEN:
            return random.choice(_USUAL[name])
        if isinstance(value, dict):
            return {
                key: self._put_into(one, random, name if key.endswith("any_") else key) for key, one in value.items()
            }
        if isinstance(value, list):
            return [self._put_into(one, random, name) for one in value]
        if isinstance(value, str) and random.random() < _OFTEN:
            return self._known_like(value, random, name)
        return value

    def _known_like(self, value: str, random: Random, name: str) -> str:
        if _is_uuid(value):
            kind = name.removeprefix("parent_").removesuffix("s").removesuffix("_id")
            return random.choice(self._known.get(kind) or self._all_ids())
        if name in {"names", *_WORDS} and random.random() < _OFTEN:
            return random.choice(self._known["limit_name" if name == "names" else _WORDS[name]])
        return value

    def _put_into_path(self, path: str, parameters: dict[str, Any], random: Random) -> dict[str, Any]:
        prefix = max((prefix for prefix in _KINDS if path.startswith(f"{prefix}/")), key=len, default="")
        chosen = dict(parameters)
        for name in parameters:
            kind = {"id": _KINDS.get(prefix), "lease_id": "lease"}.get(name, _WORDS.get(name))
            if kind is not None and random.random() < _OFTEN:
                chosen[name] = random.choice(self._known[kind])
        return chosen

    def _make_task_runs(self, flow_run_id: str) -> None:
        upstream: list[dict[str, str]] = []
        for state in (*_STATES, None):
            run = self._make(
                "task_run",
                "/api/task_runs/",
                {
                    "flow_run_id": flow_run_id,
                    "task_key": "t",
                    "dynamic_key": uuid4().hex,
                    "task_inputs": {"x": upstream},
                    "empirical_policy": {"retries": 2, "retry_delay": [1, 2]},
                    "state": state,
                },
            )
            self._know("state", run["state_id"])
            upstream = [{"input_type": "task_run", "id": run["id"]}]

    def _tell_about(self, flow_run_id: str) -> None:
        key = f"key-{uuid4().hex}"
        self._done("POST", f"/api/flow_runs/{flow_run_id}/input", {"key": key, "value": "1"})
        self._know("key", key)
        line = {"name": "n", "level": 20, "message": "said", "timestamp": _TIME, "flow_run_id": flow_run_id}
        self._done("POST", "/api/logs/", [line])
        event = {
            "occurred": _TIME,
            "event": "e",
            "resource": {"prefect.resource.id": f"prefect.flow-run.{flow_run_id}"},
            "related": [{"prefect.resource.id": "r", "prefect.resource.role": "flow"}],
            "payload": {"p": [1]},
            "id": str(uuid4()),
        }
        self._done("POST", "/api/events", [event])
        self._know("event", event["id"])

    def _make(self, kind: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        made: dict[str, Any] = self._done("POST", path, body).json()
        self._know(kind, made["id"])
        return made

    def _done(self, method: str, path: str, body: object) -> Answer:
        answer = self._served.ask_json(method, path, body)
        assert answer.status in {200, 201, 204}, answer
        return answer

    def _know(self, kind: str, value: Any) -> None:
        self._known.setdefault(kind, []).append(value)

    def _all_ids(self) -> list[str]:
        return [value for values in self._known.values() for value in values if _is_uuid(value)]


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
