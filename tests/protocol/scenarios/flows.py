"""Flows: made once by name, read, filtered, changed, deleted."""

from tests.protocol.scenario import Call, Look, Scenario

_MINE = {"flows": {"name": {"like_": "$unique"}}}

SCENARIOS = (
    Scenario(
        name="flows-made-once",
        title="A flow is made by its first creation (201) and found by each later one (200)",
        steps=(
            Call(
                request="POST /flows/",
                body={"name": "$unique", "tags": ["b", "a"], "labels": {"team": "blue", "n": 1, "on": True}},
                save={"flow": "id"},
            ),
            Call(request="POST /flows/", body={"name": "$unique", "tags": ["ignored"]}),
            Call(request="GET /flows/$flow"),
            Call(request="GET /flows/name/$unique"),
            Call(
                request="POST /events/filter",
                body={"filter": {"resource": {"id": ["prefect.flow.$flow"]}}},
                until={"total": 1},
            ),
        ),
    ),
    Scenario(
        name="flows-changed",
        title="A flow's tags and labels change by themselves; a deleted flow is gone",
        steps=(
            Call(request="POST /flows/", body={"name": "$unique", "labels": {"a": "1"}}, save={"flow": "id"}),
            Call(request="PATCH /flows/$flow", body={"tags": ["x", "y"]}),
            Call(request="PATCH /flows/$flow", body={"labels": {"b": "2"}}),
            Call(request="GET /flows/$flow"),
            Call(request="PATCH /flows/$flow", body={}),
            Call(request="PATCH /flows/$flow", body={"name": "other"}),
            Call(request="PATCH /flows/$uuid_missing", body={"tags": []}),
            Call(request="POST /flow_runs/", body={"flow_id": "$flow", "name": "kept-in-mind"}, save={"run": "id"}),
            Call(request="DELETE /flows/$flow"),
            Call(request="DELETE /flows/$flow"),
            Call(request="GET /flows/$flow"),
            Call(request="GET /flow_runs/$run"),
            Call(
                request="POST /events/filter",
                body={"filter": {"resource": {"id": ["prefect.flow.$flow"]}, "order": "ASC"}},
                until={"total": 4},
            ),
        ),
    ),
    Scenario(
        name="flows-listed",
        title="Flows are filtered by every means, sorted, counted and paged",
        steps=(
            Call(request="POST /flows/", body={"name": "$unique-b", "tags": ["t1", "t2"]}, save={"b": "id"}),
            Call(request="POST /flows/", body={"name": "$unique-a", "tags": ["t1"]}, save={"a": "id"}),
            Call(request="POST /flows/", body={"name": "$unique-c"}, save={"c": "id"}),
            Call(request="POST /flows/filter", body={**_MINE, "sort": "NAME_ASC"}),
            Call(request="POST /flows/filter", body={**_MINE, "sort": "NAME_DESC", "limit": 1, "offset": 1}),
            Call(request="POST /flows/filter", body={**_MINE, "sort": "CREATED_DESC"}),
            Call(request="POST /flows/filter", body={**_MINE, "sort": "UPDATED_DESC"}),
            Call(request="POST /flows/filter", body={"flows": {"id": {"any_": ["$a", "$uuid_missing"]}}}),
            Call(
                request="POST /flows/filter",
                body={"flows": {"id": {"not_any_": ["$a"]}, "name": {"like_": "$unique"}}, "sort": "NAME_ASC"},
            ),
            Call(
                request="POST /flows/filter",
                body={"flows": {"name": {"any_": ["$unique-c", "$unique-a"]}}, "sort": "NAME_ASC"},
            ),
            Call(
                request="POST /flows/filter",
                body={"flows": {"tags": {"all_": ["t1", "t2"]}, "name": {"like_": "$unique"}}},
            ),
            Call(
                request="POST /flows/filter", body={"flows": {"tags": {"is_null_": True}, "name": {"like_": "$unique"}}}
            ),
            Call(
                request="POST /flows/filter",
                body={"flows": {"tags": {"is_null_": False}, "name": {"like_": "$unique"}}, "sort": "NAME_ASC"},
            ),
            Call(
                request="POST /flows/filter",
                body={
                    "flows": {"operator": "or_", "name": {"any_": ["$unique-a"]}, "id": {"any_": ["$b"]}},
                    "sort": "NAME_ASC",
                },
            ),
            Call(
                request="POST /flows/filter",
                body={"flows": {"deployment": {"is_null_": True}, "name": {"like_": "$unique"}}, "sort": "NAME_ASC"},
            ),
            Call(request="POST /flows/count", body=_MINE),
            Call(request="POST /flows/count", body={"flows": {"name": {"any_": []}}}),
            Call(request="POST /flows/paginate", body={**_MINE, "sort": "NAME_ASC", "limit": 2, "page": 1}),
            Call(request="POST /flows/paginate", body={**_MINE, "sort": "NAME_ASC", "limit": 2, "page": 2}),
            Call(request="POST /flows/paginate", body={**_MINE, "sort": "NAME_ASC", "limit": 2, "page": 9}),
            Call(request="POST /flow_runs/", body={"flow_id": "$a", "name": "$unique-run"}, save={"run": "id"}),
            Call(request="POST /flows/filter", body={"flow_runs": {"id": {"any_": ["$run"]}}}),
            Call(request="POST /flows/count", body={"flow_runs": {"id": {"any_": ["$run"]}}}),
        ),
    ),
    Scenario(
        name="flows-refused",
        title="What is wrong about a request for flows, and which status says so",
        steps=(
            Call(request="POST /flows/", body={}),
            Call(request="POST /flows/", body={"name": ""}),
            Call(request="POST /flows/", body={"name": "a/b"}),
            Call(request="POST /flows/", body={"name": "$unique", "unknown": 1}),
            Call(request="POST /flows/", raw="{not json", headers={"Content-Type": "application/json"}),
            Call(request="POST /flows/", raw='{"name": "$unique-raw"}'),
            Call(request="POST /flows", body={"name": "$unique"}, keep=("location",)),
            Call(request="GET /flows/not-an-id"),
            Call(request="GET /flows/$uuid_missing"),
            Call(request="GET /flows/name/$unique-missing"),
            Call(request="GET /flows/filter"),
            Call(request="POST /flows/filter", body={"nope": 1, "limit": 0}),
            Call(request="POST /flows/filter", body={"flows": {"nope": 1}}),
            Call(request="POST /flows/filter", body={"limit": 201}),
            Call(request="POST /flows/filter", body={"limit": -1}),
            Call(request="POST /flows/filter", body={"offset": -1}),
            Call(request="POST /flows/filter", body={"sort": "NOPE"}),
            Call(request="POST /flows/paginate", body={"page": 0}),
            Call(request="DELETE /flows/$uuid_missing"),
        ),
    ),
    Scenario(
        name="flows-deleted-in-bulk",
        title="Bulk deletion takes a filter and tells what it deleted",
        steps=(
            Call(request="POST /flows/", body={"name": "$unique-1"}, save={"one": "id"}),
            Call(request="POST /flows/", body={"name": "$unique-2"}, save={"two": "id"}),
            Call(request="POST /flows/bulk_delete", body={**_MINE, "limit": 1}, look=Look.SHAPE),
            Call(request="POST /flows/bulk_delete", body=_MINE, look=Look.SHAPE),
            Call(request="POST /flows/bulk_delete", body=_MINE),
            Call(request="POST /flows/bulk_delete", body={**_MINE, "limit": 51}),
            Call(request="POST /flows/bulk_delete", body={**_MINE, "limit": 0}),
        ),
    ),
)
