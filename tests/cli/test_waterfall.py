"""The waterfall line by line: where bars stand, what waits, pauses, several programs, wide names."""

from typing import Any

import pytest

from lightwell.cli.stacks import shortened
from lightwell.cli.terminal import Screen, cells, cut, squeezed
from lightwell.cli.waterfall import waterfall

ROOT = "a" * 16


def span(name: str, offset: float, duration: float, **members: Any) -> dict[str, Any]:
    """A span as the API answers it, in milliseconds."""
    given: dict[str, Any] = {
        "span_id": name.ljust(16, "0"),
        "parent_id": None,
        "depth": 0,
        "name": name,
        "service": "lightwell",
        "status": "unset",
        "status_message": None,
        "attributes": {},
        "events": [],
        "links": [],
    }
    return given | {"offset": offset / 1000, "duration": duration / 1000} | members


def drawn(*spans: dict[str, Any], width: int = 60, full: bool = False) -> list[str]:
    """The lines on a screen without colours."""
    return list(waterfall(Screen(width), {"spans": spans}, full=full))


def within(parent: dict[str, Any], name: str, offset: float, duration: float, **members: Any) -> dict[str, Any]:
    """A span inside another one."""
    place = {"parent_id": parent["span_id"], "depth": parent["depth"] + 1}
    return span(name, offset, duration, **(place | members))


def test_bars_stand_where_and_as_long_as_the_spans() -> None:
    """Scaled to the width; a span too short for a cell still has one."""
    root = span("request", 0, 100)
    parts = [within(root, "first", 0, 50), within(root, "second", 50, 49), within(root, "last", 99.99, 0.01)]
    lines = drawn(root, *parts, width=59)

    assert lines == [
        "request   " + "█" * 40 + "   100 ms",
        "  first   " + "█" * 20 + " " * 20 + "  50.0 ms",
        "  second  " + " " * 20 + "█" * 20 + "  49.0 ms",
        "  last    " + " " * 39 + "█    10 µs",
    ]


def test_waiting_is_lighter_than_working() -> None:
    """A unit of work waits for its turn until it begins."""
    began = {"name": "db.unit.began", "offset": 0.05, "attributes": {}}
    (line,) = drawn(span("write", 0, 100, events=[began]))

    bar = line.split()[1]
    assert set(bar) == {"░", "█"}
    assert abs(bar.count("░") - bar.count("█")) <= 1


def test_long_pauses_have_a_line_of_their_own() -> None:
    """Before, between and after the parts of a span; short ones and spans without parts have none."""
    root = span("run", 0, 1000)
    lines = drawn(root, within(root, "one", 200, 100), within(root, "two", 350, 100), within(root, "three", 700, 100))

    assert [line.split("  ")[1 if line.startswith(" ") else 0].strip() for line in lines] == [
        "run",
        "(nothing recorded)",
        "one",
        "two",
        "(nothing recorded)",
        "three",
        "(nothing recorded)",
    ]
    assert [line.rsplit("  ", 1)[1].strip() for line in lines if "nothing" in line] == ["200 ms", "250 ms", "200 ms"]
    assert len(drawn(span("alone", 0, 1000))) == 1


def test_spans_of_several_programs_say_whose_they_are() -> None:
    """Where one hands over to another, and not on every line."""
    flow = span("brave-otter", 0, 10, service="client")
    request = within(flow, "POST /api/flow_runs/", 1, 2, service="lightwell")
    unit = within(request, "write", 1, 1, service="lightwell")
    labels = [line.split("  █")[0].strip() for line in drawn(flow, request, unit, width=100) if "█" in line]

    assert [label.split("  ")[0] for label in labels] == [
        "[client] brave-otter",
        "[lightwell] POST /api/flow_runs/",
        "write",
    ]


def test_what_is_said_of_a_span_stands_beneath_it() -> None:
    """Refusals, events, messages and links; approvals and attributes only in full."""
    accepted = {"lightwell.rule": "a", "lightwell.verdict": "ACCEPT"}
    refused = {"lightwell.rule": "b", "lightwell.verdict": "WAIT", "lightwell.reason": "The limit is full"}
    events = [
        {"name": "orchestration.verdict", "offset": 0, "attributes": accepted},
        {"name": "orchestration.verdict", "offset": 0, "attributes": refused},
        {"name": "object.not_found", "offset": 0, "attributes": {"object_type": "flow"}},
        {"name": "exception", "offset": 0, "attributes": {"exception.type": "E"}},
    ]
    links = [{"trace_id": "c" * 32, "span_id": ROOT, "attributes": {}}]
    one = span("verb", 0, 1, events=events, links=links, status_message="it broke", attributes={"k": [1]})

    short = drawn(one, width=100)
    assert [line.strip() for line in short[1:]] == [
        "WAIT by b: The limit is full",
        "object.not_found object_type=flow",
        "it broke",
        f"linked to trace {'c' * 32}",
    ]
    whole = [line.strip() for line in drawn(one, width=100, full=True) if line not in short]
    assert whole == ["ACCEPT by a", "k = [1]"]


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_no_line_is_too_long(width: int) -> None:
    """However deep, however wide the letters, however long the statement."""
    spans = [span("根" * 30, 0, 10, attributes={"http.response.status_code": 500})]
    for _ in range(30):
        spans.append(within(spans[-1], "深い" * 20, 1, 5, attributes={"db.query.text": "SELECT " + "x, " * 200}))

    assert max(map(cells, drawn(*spans, width=width))) <= width


def test_a_pipe_has_everything() -> None:
    """Nothing is cut where no terminal ends the line; without Unicode bars are of plain signs."""
    root = span("n" * 300, 0, 10)
    (line,) = waterfall(Screen(), {"spans": [root]}, full=False)
    (plain,) = waterfall(Screen(has_unicode=False), {"spans": [root]}, full=False)

    assert line.startswith("n" * 300 + "  █")
    assert plain.startswith("n" * 300 + "  #")


def test_an_empty_trace_and_one_of_no_length() -> None:
    """Log lines may have come without their spans; clocks are coarse."""
    assert drawn() == []
    assert drawn(span("now", 0, 0))[0].startswith("now  █")


def test_text_is_cut_by_cells() -> None:
    """Wide letters take two, marks above letters none."""
    assert [cut(text, 4) for text in ("abcdef", "根根根", "e\u0301" * 4)] == ["abc…", "根…", "e\u0301" * 4]
    assert squeezed("POST /api/flow_runs/{id}/set_state", 20) == "POST /api…/set_state"
    assert squeezed("short", 20) == "short"


def test_tracebacks_show_our_own_lines() -> None:
    """Each with its code on one line; libraries' are counted, and the exceptions stand where they stood."""
    stack = """Traceback (most recent call last):
  File "/x/venv/lib/python3.11/site-packages/starlette/routing.py", line 1, in app
    await self.app(scope)
    ^^^^^^^^^^^^^^^^^^^^^
  File "/x/src/lightwell/api/flows.py", line 25, in create_flow
    kept = await call.db.write(create, flow)
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "/x/lib/python3.11/asyncio/tasks.py", line 9, in run
    run()
  File "<frozen importlib._bootstrap>", line 3, in load
  File "/home/me/flows/etl.py", line 7, in load
ValueError: '*'
"""
    assert list(shortened(Screen(100), stack)) == [
        "Traceback (most recent call last):",
        "  … 1 frame of starlette",
        "  lightwell/api/flows.py:25 create_flow    kept = await call.db.write(create, flow)",
        "  … 2 frames of asyncio, importlib._bootstrap",
        "  /home/me/flows/etl.py:7 load",
        "ValueError: '*'",
        "",
    ]
