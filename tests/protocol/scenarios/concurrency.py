"""Concurrency limits: global ones with leases (v2), and those of tags (v1), the same limits seen otherwise."""

from tests.protocol.scenario import Call, Json, Scenario
from tests.protocol.scenarios.task_runs import make_task
from tests.protocol.scenarios.words import MAKE_FLOW, make_run, propose

_HELD = ("avg_slot_occupancy_seconds",)


def _make(name: str = "limit", limit: int = 2, **members: Json) -> Call:
    return Call(
        request="POST /v2/concurrency_limits/",
        body={"name": f"$unique-{name}", "limit": limit, **members},
        save={name: "id"},
    )


def _slots(path: str, name: str = "limit", slots: int = 1, **members: Json) -> Call:
    """Take or give back slots of a limit by name."""
    return Call(
        request=f"POST /v2/concurrency_limits/{path}",
        body={"names": [f"$unique-{name}"], "slots": slots, **members},
    )


def _lease(name: str, slots: int = 1, **members: Json) -> Call:
    return Call(
        request="POST /v2/concurrency_limits/increment-with-lease",
        body={"names": ["$unique-limit"], "slots": slots, "lease_duration": 60, **members},
        save={name: "lease_id"},
    )


_READ = Call(request="GET /v2/concurrency_limits/$limit", mask=_HELD)

SCENARIOS = (
    Scenario(
        name="limits-made",
        title="Global limits are made, read by id or name, changed, listed, deleted",
        steps=(
            _make(),
            _READ,
            Call(request="GET /v2/concurrency_limits/$unique-limit", mask=_HELD),
            _make("decaying", 10, slot_decay_per_second=0.5, active=False),
            Call(request="POST /v2/concurrency_limits/", body={"name": "$unique-limit", "limit": 3}),
            Call(request="POST /v2/concurrency_limits/", body={"name": "$unique/x", "limit": 3}),
            Call(request="POST /v2/concurrency_limits/", body={"name": "$unique-less", "limit": -1}),
            Call(request="POST /v2/concurrency_limits/", body={"name": "$unique-none", "limit": 0}),
            Call(request="POST /v2/concurrency_limits/", body={"name": "$unique-x"}),
            Call(request="POST /v2/concurrency_limits/", body={"name": "$unique-x", "limit": 1, "more": 1}),
            Call(request="PATCH /v2/concurrency_limits/$unique-limit", body={"limit": 5, "active": False}),
            Call(
                request="PATCH /v2/concurrency_limits/$limit",
                body={"name": "$unique-renamed", "slot_decay_per_second": 1},
            ),
            _READ,
            Call(request="PATCH /v2/concurrency_limits/$unique-missing", body={"limit": 5}),
            Call(request="PATCH /v2/concurrency_limits/$limit", body={"more": 5}),
            Call(request="GET /v2/concurrency_limits/$unique-limit"),
            Call(request="GET /v2/concurrency_limits/$uuid_missing"),
            Call(request="POST /v2/concurrency_limits/filter", body={"limit": 201}),
            Call(request="DELETE /v2/concurrency_limits/$unique-renamed"),
            Call(request="DELETE /v2/concurrency_limits/$limit"),
            Call(request="DELETE /v2/concurrency_limits/$decaying"),
            Call(
                request="POST /events/filter",
                body={"filter": {"resource": {"id": ["prefect.concurrency-limit.$limit"]}, "order": "ASC"}},
                until={"total": 4},
            ),
        ),
    ),
    Scenario(
        name="limits-taken",
        title="Slots are taken while there are any; then the answer is 423 with a time to wait",
        steps=(
            _make(),
            _slots("increment"),
            _READ,
            _slots("increment", slots=3),
            _slots("increment"),
            Call(
                request="POST /v2/concurrency_limits/increment",
                body={"names": ["$unique-limit"], "slots": 1},
            ),
            _READ,
            _slots("decrement", occupancy_seconds=2.5),
            Call(request="GET /v2/concurrency_limits/$limit"),
            _slots("decrement", slots=5),
            Call(request="GET /v2/concurrency_limits/$limit"),
            _slots("increment", "missing"),
            _slots("decrement", "missing"),
            _slots("increment", create_if_missing=True),
            _slots("increment", slots=0),
            _slots("increment", mode="rate_limit"),
            _slots("increment", mode="nonsense"),
            Call(request="POST /v2/concurrency_limits/increment", body={"names": [], "slots": 1}),
            _slots("decrement", occupancy_seconds=-1),
            _make("off", 1, active=False),
            _slots("increment", "off", 5),
            Call(request="GET /v2/concurrency_limits/$off"),
            _make("rate", 2, slot_decay_per_second=0.01),
            _slots("increment", "rate", 2, mode="rate_limit"),
            _slots("increment", "rate", 1, mode="rate_limit"),
            Call(
                request="POST /v2/concurrency_limits/increment",
                body={"names": ["$unique-rate", "$unique-limit"], "slots": 1, "mode": "rate_limit"},
            ),
            _make("zero", 0),
            _slots("increment", "zero"),
        ),
    ),
    Scenario(
        name="limits-leased",
        title="A lease holds slots until it is given back or is over",
        steps=(
            _make(),
            _lease("lease", holder={"type": "flow_run", "id": "$uuid_holder"}),
            _lease("second"),
            _READ,
            Call(
                request="POST /v2/concurrency_limits/increment-with-lease",
                body={"names": ["$unique-limit"], "slots": 1},
            ),
            Call(request="POST /v2/concurrency_limits/leases/$lease/renew", body={"lease_duration": 120}),
            Call(request="POST /v2/concurrency_limits/leases/$lease/renew", body={"lease_duration": 59}),
            Call(request="POST /v2/concurrency_limits/leases/$lease/renew", body={"lease_duration": 86401}),
            Call(request="POST /v2/concurrency_limits/leases/$uuid_missing/renew", body={"lease_duration": 60}),
            Call(request="POST /v2/concurrency_limits/leases/$lease/renew"),
            Call(request="POST /v2/concurrency_limits/decrement-with-lease", body={"lease_id": "$lease"}),
            Call(request="POST /v2/concurrency_limits/decrement-with-lease", body={"lease_id": "$lease"}),
            Call(request="POST /v2/concurrency_limits/decrement-with-lease", body={"lease_id": "$uuid_missing"}),
            Call(request="POST /v2/concurrency_limits/decrement-with-lease", body={}),
            Call(request="POST /v2/concurrency_limits/leases/$lease/renew", body={"lease_duration": 60}),
            _READ,
            Call(
                request="POST /v2/concurrency_limits/increment-with-lease",
                body={"names": ["$unique-missing"], "slots": 1},
                save={"nothing": "lease_id"},
            ),
            Call(
                request="POST /v2/concurrency_limits/increment-with-lease",
                body={"names": ["$unique-limit"], "slots": 1, "lease_duration": 59},
            ),
            Call(
                request="POST /v2/concurrency_limits/increment-with-lease",
                body={"names": ["$unique-limit"], "slots": 1, "lease_duration": 86401},
            ),
            Call(
                request="POST /v2/concurrency_limits/increment-with-lease",
                body={"names": ["$unique-limit"], "slots": 1, "holder": {"type": "nobody", "id": "$uuid_holder"}},
            ),
        ),
    ),
    Scenario(
        name="tag-limits-made",
        title="A tag's limit is made or changed by the same request: 201, then 200",
        steps=(
            Call(
                request="POST /concurrency_limits/",
                body={"tag": "$unique", "concurrency_limit": 1},
                save={"limit": "id"},
            ),
            Call(request="POST /concurrency_limits/", body={"tag": "$unique", "concurrency_limit": 2}),
            Call(request="GET /concurrency_limits/$limit"),
            Call(request="GET /concurrency_limits/tag/$unique"),
            Call(request="GET /v2/concurrency_limits/tag:$unique", mask=_HELD),
            Call(request="GET /concurrency_limits/$uuid_missing"),
            Call(request="GET /concurrency_limits/tag/$unique-missing"),
            Call(request="POST /concurrency_limits/", body={"tag": "$unique-x"}),
            Call(request="POST /concurrency_limits/", body={"tag": "$unique-x", "concurrency_limit": -1}),
            Call(request="POST /concurrency_limits/filter", body={"limit": 201}),
            Call(request="POST /concurrency_limits/tag/$unique/reset", body={"slot_override": ["$uuid_holder"]}),
            Call(request="GET /concurrency_limits/tag/$unique"),
            Call(request="POST /concurrency_limits/tag/$unique/reset"),
            Call(request="GET /concurrency_limits/tag/$unique"),
            Call(request="POST /concurrency_limits/tag/$unique-missing/reset"),
            Call(request="DELETE /concurrency_limits/tag/$unique"),
            Call(request="DELETE /concurrency_limits/tag/$unique"),
            Call(request="DELETE /concurrency_limits/$limit"),
        ),
    ),
    Scenario(
        name="tag-limits-taken",
        title="Slots of tags are taken and given back by a task run",
        steps=(
            Call(request="POST /concurrency_limits/", body={"tag": "$unique", "concurrency_limit": 1}),
            Call(
                request="POST /concurrency_limits/increment",
                body={"names": ["$unique", "$unique-missing"], "task_run_id": "$uuid_one"},
            ),
            Call(request="GET /concurrency_limits/tag/$unique"),
            Call(
                request="POST /concurrency_limits/increment",
                body={"names": ["$unique"], "task_run_id": "$uuid_two"},
                keep=("retry-after",),
            ),
            Call(request="POST /concurrency_limits/decrement", body={"names": ["$unique"], "task_run_id": "$uuid_two"}),
            Call(request="GET /concurrency_limits/tag/$unique"),
            Call(request="POST /concurrency_limits/decrement", body={"names": ["$unique"], "task_run_id": "$uuid_one"}),
            Call(request="GET /concurrency_limits/tag/$unique"),
            Call(
                request="POST /concurrency_limits/decrement", body={"names": ["$unique-x"], "task_run_id": "$uuid_one"}
            ),
            Call(request="POST /concurrency_limits/increment", body={"names": ["$unique"]}),
            Call(request="POST /concurrency_limits/", body={"tag": "$unique-zero", "concurrency_limit": 0}),
            Call(
                request="POST /concurrency_limits/increment",
                body={"names": ["$unique-zero"], "task_run_id": "$uuid_one"},
                keep=("retry-after",),
            ),
        ),
    ),
    Scenario(
        name="tag-limits-of-task-runs",
        title="A task run whose tag is full waits; it takes a slot when it runs and gives it back when it ends",
        server="postgres",
        steps=(
            Call(request="POST /concurrency_limits/", body={"tag": "$unique", "concurrency_limit": 1}),
            MAKE_FLOW,
            make_run(),
            propose("RUNNING"),
            make_task("one", dynamic_key="1", tags=["$unique"]),
            make_task("two", dynamic_key="2", tags=["$unique"]),
            propose("RUNNING", "one", kind="task_runs"),
            Call(request="GET /concurrency_limits/tag/$unique"),
            Call(
                request="POST /task_runs/$two/set_state",
                body={"state": {"type": "RUNNING"}},
                mask=("delay_seconds",),
            ),
            propose("COMPLETED", "one", kind="task_runs"),
            Call(request="GET /concurrency_limits/tag/$unique"),
            propose("RUNNING", "two", kind="task_runs"),
            propose("FAILED", "two", kind="task_runs"),
            Call(request="POST /concurrency_limits/", body={"tag": "$unique-zero", "concurrency_limit": 0}),
            make_task("never", dynamic_key="3", tags=["$unique-zero"]),
            propose("RUNNING", "never", kind="task_runs"),
        ),
    ),
)
