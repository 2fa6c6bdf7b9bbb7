"""Flows by HTTP."""

from uuid import uuid4

import httpx
import pytest

from tests.api.conftest import Make


async def test_a_flow_is_made_once(api: httpx.AsyncClient) -> None:
    """The first of a name is new, the second is that one as it was."""
    first = await api.post("/flows/", json={"name": "f", "tags": ["a"], "labels": {"n": 1, "on": True}})
    second = await api.post("/flows/", json={"name": "f", "tags": ["b"]})

    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert (first.json()["tags"], first.json()["labels"]) == (["a"], {"n": 1, "on": True})


async def test_a_flow_is_found_by_id_and_by_name(api: httpx.AsyncClient, make: Make) -> None:
    """Both answer the whole flow; an unknown one is 404 with a detail."""
    flow = await make("/flows/", name="größer (2)")

    assert (await api.get(f"/flows/{flow['id']}")).json() == flow
    assert (await api.get("/flows/name/größer (2)")).json() == flow
    for path in (f"/flows/{uuid4()}", "/flows/name/other"):
        missing = await api.get(path)
        assert (missing.status_code, missing.json()) == (404, {"detail": "Flow not found"})


async def test_what_is_no_id_leads_nowhere(api: httpx.AsyncClient) -> None:
    """404, as for a path that is not there."""
    answer = await api.get("/flows/nope")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})


async def test_tags_of_a_flow_are_replaced(api: httpx.AsyncClient, make: Make) -> None:
    """Members that are not sent stay; a member that cannot change is refused."""
    flow = await make("/flows/", name="f", tags=["a"], labels={"l": "v"})

    assert (await api.patch(f"/flows/{flow['id']}", json={"tags": ["b"]})).status_code == 204
    assert (await api.patch(f"/flows/{flow['id']}", json={})).status_code == 204
    assert (await api.patch(f"/flows/{flow['id']}", json={"name": "g"})).status_code == 422
    assert (await api.patch(f"/flows/{uuid4()}", json={})).status_code == 404
    changed = (await api.get(f"/flows/{flow['id']}")).json()
    assert (changed["tags"], changed["labels"], changed["name"]) == (["b"], {"l": "v"}, "f")


async def test_deleting_a_flow_deletes_its_runs(api: httpx.AsyncClient, make: Make) -> None:
    """204 once, then 404; its runs are gone."""
    run = await make("/flow_runs/")

    assert (await api.delete(f"/flows/{run['flow_id']}")).status_code == 204
    assert (await api.delete(f"/flows/{run['flow_id']}")).status_code == 404
    assert (await api.get(f"/flow_runs/{run['id']}")).status_code == 404


async def test_flows_are_listed_counted_and_paged(api: httpx.AsyncClient, make: Make) -> None:
    """By name, by tag, in order, in parts; the count does not depend on the part."""
    for name in ("c", "a", "b"):
        await make("/flows/", name=name, tags=["few"] if name != "c" else [])
    few = {"flows": {"tags": {"all_": ["few"]}}}

    assert [flow["name"] for flow in (await api.post("/flows/filter", json={})).json()] == ["a", "b", "c"]
    assert (await api.post("/flows/count", json=few)).json() == 2
    last = (await api.post("/flows/filter", json={"sort": "NAME_DESC", "limit": 1, "offset": 2})).json()
    assert [flow["name"] for flow in last] == ["a"]
    page = (await api.post("/flows/paginate", json=few | {"limit": 1, "page": 2})).json()
    assert [flow["name"] for flow in page.pop("results")] == ["b"]
    assert page == {"count": 2, "limit": 1, "pages": 2, "page": 2}


async def test_flows_that_match_are_deleted_together(api: httpx.AsyncClient, make: Make) -> None:
    """The answer names them; what matches nothing deletes nothing."""
    made = [(await make("/flows/", name=name))["id"] for name in ("aa", "ab", "b")]
    match = {"flows": {"name": {"like_": "a"}}}

    assert set((await api.post("/flows/bulk_delete", json=match)).json()["deleted"]) == set(made[:2])
    assert (await api.post("/flows/bulk_delete", json=match)).json() == {"deleted": []}
    assert (await api.post("/flows/count", json={})).json() == 1


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": "a/b"}, {"name": "a", "unknown": 1}, {"name": None}])
async def test_a_flow_that_is_none_is_refused(api: httpx.AsyncClient, body: dict[str, object]) -> None:
    """422 says what is wrong, and gives the body back."""
    answer = await api.post("/flows/", json=body)

    assert answer.status_code == 422
    problem = answer.json()
    assert problem["exception_message"] == "Invalid request received."
    assert problem["request_body"] == body
    assert problem["exception_detail"][0]["loc"][0] == "body"


@pytest.mark.parametrize(
    ("limit", "told"),
    [
        (201, "Invalid limit: must be less than or equal to 200."),
        (-1, "Invalid limit: must be greater than or equal to 0."),
    ],
)
async def test_a_page_has_a_size(light_api: httpx.AsyncClient, limit: int, told: str) -> None:
    """Larger than the server's limit, or negative, is refused in the contract's words; none at all is empty."""
    answer = await light_api.post("/flows/filter", json={"limit": limit})
    assert (answer.status_code, answer.json()) == (422, {"detail": told})
    assert (await light_api.post("/flows/filter", json={"limit": 0})).json() == []
