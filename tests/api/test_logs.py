"""Logs by HTTP."""

from uuid import uuid4

import httpx

RUN, OTHER, TASK = (str(uuid4()) for _ in range(3))


def _line(message: str, second: int = 0, level: int = 20, **more: str) -> dict[str, object]:
    timestamp = f"2030-01-01T00:00:0{second}Z"
    return {"name": "prefect.flow_runs", "level": level, "message": message, "timestamp": timestamp} | more


async def test_lines_are_kept_and_found(api: httpx.AsyncClient) -> None:
    """By run, level, time and text, in order and in parts."""
    lines = [
        _line("started", 1, flow_run_id=RUN),
        _line("it BROKE badly", 2, level=40, flow_run_id=RUN, task_run_id=TASK),
        _line("elsewhere", 3, flow_run_id=OTHER),
    ]
    answer = await api.post("/logs/", json=lines)
    assert (answer.status_code, answer.json()) == (201, None)

    for criteria, messages in (
        (None, ["started", "it BROKE badly", "elsewhere"]),
        ({"flow_run_id": {"any_": [RUN]}}, ["started", "it BROKE badly"]),
        ({"task_run_id": {"is_null_": True}}, ["started", "elsewhere"]),
        ({"level": {"ge_": 30}}, ["it BROKE badly"]),
        (
            {"timestamp": {"after_": "2030-01-01T00:00:02Z", "before_": "2030-01-01T00:00:03Z"}},
            ["it BROKE badly", "elsewhere"],
        ),
        ({"text": {"query": "broke -elsewhere"}}, ["it BROKE badly"]),
        ({"operator": "or_", "level": {"ge_": 30}, "flow_run_id": {"any_": [OTHER]}}, ["it BROKE badly", "elsewhere"]),
    ):
        found = (await api.post("/logs/filter", json={"logs": criteria})).json()
        assert [line["message"] for line in found] == messages
    last = (await api.post("/logs/filter", json={"sort": "TIMESTAMP_DESC", "limit": 1, "offset": 1})).json()
    assert [line["message"] for line in last] == ["it BROKE badly"]


async def test_no_lines_are_lines_too(api: httpx.AsyncClient) -> None:
    """An empty list is 201; a line with an unknown member, or without a time, is none."""
    assert (await api.post("/logs/", json=[])).status_code == 201
    assert (await api.post("/logs/", json=[_line("m", unknown="x")])).status_code == 422
    assert (await api.post("/logs/", json=[{"name": "n", "level": 20, "message": "m"}])).status_code == 422
    assert (await api.post("/logs/filter", json={})).json() == []


async def test_what_a_program_says_is_kept_readable(api: httpx.AsyncClient) -> None:
    """What no column can keep is replaced, the rest stays."""
    content = rb'[{"name":"n","level":20,"message":"a\u0000b\ud800c \ud83d\udc4b","timestamp":"2030-01-01T00:00:00Z"}]'
    assert (await api.post("/logs/", content=content)).status_code == 201
    (line,) = (await api.post("/logs/filter", json={})).json()
    assert line["message"] == "a\ufffdb\ufffdc 👋"
