"""What a caller can send at the edge of sense: an answer each time, never a failure of the server."""

import json
from collections.abc import Iterator
from copy import deepcopy
from itertools import count
from typing import Any, Final
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.fuzz.bodies import BODIES, TIME
from tests.fuzz.wire import Answer, Headers, Served
from tests.fuzz.world import World

_JSON: Final = ((b"content-type", b"application/json"),)
_MANY: Final = 40_000
_DEPTHS: Final = (10, 199, 200, 201, 253, 254, 255, 256, 900, 5_000, 100_000)
_REFUSED: Final = {400, 404, 409, 413, 422, 423}
_AWKWARD: Final = st.one_of(
    st.sampled_from(
        [
            *(None, True, False, [], {}, "", "0", "null", [None], {"": None}, [[]]),
            *(-1, 0, 1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64, -(2**63) - 1, 10**400),
            *(-0.5, 1e-308, 1e308, -1e308, float("nan"), float("inf"), float("-inf")),
            *(
                "\ud800",
                "a\udfff",
                "\x00",
                "a\x00b",
                "\u2028\u202e",
                "\U0010ffff",
                "👋" * 50,
                "x" * 100_000,
                "%_\\*?[!",
            ),
            *("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "0001-01-01", "9999-12-31T23:59:59.999999Z"),
            *("9999-12-31T23:59:59-12:00", "2026-02-30T00:00:00Z", "2026-01-01T00:00:00+23:59", "P1D", "now"),
            *("00000000-0000-0000-0000-000000000000", "{0b0f9a3e-6d0c-4e0e-9d5e-0123456789ab}", "urn:uuid:"),
        ]
    ),
    st.text(st.characters(exclude_categories=()), max_size=20),
    st.integers(),
    st.floats(),
    st.recursive(st.none(), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)),
)


def _assert_answered(answer: Answer) -> Answer:
    assert answer.status in {200, 201, 204} | _REFUSED, answer
    return answer


def _places(value: object, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield place
    for key, one in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from _places(one, (*place, key))


def _with(body: object, place: tuple[Any, ...], value: object) -> Any:
    if not place:
        return value
    changed: Any = deepcopy(body)
    inner = changed
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return changed


@pytest.mark.parametrize("operation", BODIES)
def test_one_awkward_member_is_an_answer(server: Served, world: World, operation: str) -> None:
    """A right body in which any one member is replaced by something awkward is taken or refused."""
    body = world.filled_in(BODIES[operation])
    method, _, path = world.filled_in(operation).partition(" ")
    assert server.ask_json(method, f"/api{path}", body).status in {200, 201, 204, 404, 409, 410, 422, 423}

    @seed(1)
    @settings(
        max_examples=25,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(place=st.sampled_from(sorted(_places(body), key=repr)), value=_AWKWARD)
    def ask(place: tuple[Any, ...], value: object) -> None:
        answer = server.ask_json(method, f"/api{path}", _with(body, place, value))
        assert answer.status in {200, 201, 204, 410} | _REFUSED, answer

    ask()


_IDS: Final = [str(uuid4()) for _ in range(_MANY)]
_WORDS: Final = [f"word-{number}" for number in range(_MANY)]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("flows/filter", {"flows": {"id": {"any_": _IDS}, "name": {"any_": _WORDS}, "tags": {"all_": _WORDS}}}),
        ("flows/count", {"flows": {"operator": "or_", "id": {"any_": _IDS}, "name": {"any_": _WORDS}}}),
        ("flow_runs/filter", {"flow_runs": {"id": {"any_": _IDS, "not_any_": _IDS}, "tags": {"any_": _WORDS}}}),
        ("flow_runs/count", {"flow_runs": {"parent_flow_run_id": {"any_": _IDS}}, "task_runs": {"id": {"any_": _IDS}}}),
        ("flow_runs/paginate", {"flow_runs": {"created_by": {"id_": _IDS, "type_": _WORDS}}}),
        ("flow_runs/filter", {"flow_runs": {"idempotency_key": {"any_": _WORDS, "not_any_": _WORDS}}}),
        ("flow_runs/lateness", {"deployments": {"id": {"any_": _IDS}}, "work_pools": {"name": {"any_": _WORDS}}}),
        ("flow_runs/bulk_delete", {"flow_runs": {"id": {"any_": _IDS}}}),
        ("task_runs/filter", {"task_runs": {"id": {"any_": _IDS}, "flow_run_id": {"any_": _IDS}}}),
        ("task_runs/count", {"flow_runs": {"id": {"any_": _IDS}}}),
        ("logs/filter", {"logs": {"flow_run_id": {"any_": _IDS}, "task_run_id": {"any_": _IDS}}}),
        ("events/filter", {"filter": {"id": {"id": _IDS}, "resource": {"id": _WORDS}}}),
        ("events/filter", {"filter": {"any_resource": {"id": _WORDS, "labels": {"a": "b"}}}}),
        ("events/count-by/event", {"filter": {"related": {"id": _WORDS, "role": _WORDS}, "event": {"name": _WORDS}}}),
        ("ui/flows/count-deployments", {"flow_ids": _IDS}),
        ("ui/flows/next-runs", {"flow_ids": _IDS}),
        ("ui/flow_runs/count-task-runs", {"flow_run_ids": _IDS}),
        ("v2/concurrency_limits/increment", {"slots": 1, "names": _WORDS}),
        ("concurrency_limits/increment", {"names": _WORDS, "task_run_id": _IDS[0]}),
        ("concurrency_limits/decrement", {"names": _WORDS, "task_run_id": _IDS[0]}),
    ],
    ids=count(),
)
def test_long_lists_are_looked_up(server: Served, world: World, path: str, body: Any) -> None:
    """A filter may name 40,000 values: more than a statement has places for."""
    del world
    assert server.ask_json("POST", f"/api/{path}", body).status == 200


@pytest.mark.parametrize(
    "criteria",
    [
        {"event": {"prefix": _WORDS}},
        {"event": {"exclude_prefix": _WORDS}},
        {"resource": {"id_prefix": _WORDS}},
        {"resource": {"labels": {"a": _WORDS}}},
        {"resource": {"labels": dict.fromkeys(_WORDS, "a")}},
        {"related": [{"id": ["a"]}] * _MANY},
        {"any_resource": [{"labels": {"a": "b"}}] * _MANY},
        {"related": {"resources_in_roles": [["a", "b"]] * _MANY}},
    ],
    ids=count(),
)
def test_too_many_patterns_are_refused_at_once(server: Served, criteria: Any) -> None:
    """Each pattern is a comparison with every row, so that a list of them has an end."""
    assert server.ask_json("POST", "/api/events/filter", {"filter": criteria}).status == 422


def test_as_many_patterns_as_are_allowed_are_looked_for(server: Served) -> None:
    """A filter that is full in every list is one that the database can carry out."""
    some = _WORDS[:250]
    labels = {"a": some, "b": some}
    criteria = {
        "event": {"prefix": some, "exclude_prefix": some},
        "resource": {"id_prefix": some, "labels": labels},
        "related": [{"id": some, "labels": {"a": "b"}}] * 20,
    }
    assert server.ask_json("POST", "/api/events/filter", {"filter": criteria}).status == 200
    assert server.ask_json("POST", "/api/events/count-by/event", {"filter": criteria}).status == 200


@pytest.mark.parametrize("opening", [b"[", b'{"a":'], ids=["lists", "objects"])
def test_nesting_without_end_is_an_answer(server: Served, world: World, opening: bytes) -> None:
    """However deep a value is, it is taken and can be read again, or is refused."""
    run = f"/api/flow_runs/{world.one('flow_run')}"
    for depth in _DEPTHS:
        nested = opening * depth + b"1" + (b"]" if opening == b"[" else b"}") * depth
        for method, path, before, after in (
            ("POST", f"{run}/set_state", b'{"force":true,"state":{"type":"RUNNING","data":', b"}}"),
            ("POST", f"{run}/resume", b'{"run_input":{"a":', b"}}"),
            ("PATCH", run, b'{"parameters":{"a":', b"}}"),
            ("PATCH", f"{run}/labels", b'{"a":', b"}"),
            ("POST", "/api/flows/filter", b'{"unknown":', b"}"),
            ("POST", "/api/flows/", b'{"name":', b"}"),
            ("POST", "/api/flows/filter", b"", b""),
        ):
            _assert_answered(server.ask(method, path, before + nested + after, _JSON))
        assert server.ask("GET", run).status == 200
        assert server.ask_json("POST", "/api/flow_runs/filter", {"limit": 200}).status == 200


@pytest.mark.parametrize(
    "content_type",
    [
        b"application/json",
        b"application/json; charset=utf-16",
        b"text/plain",
        b"application/x-www-form-urlencoded",
        b"multipart/form-data",
        b"multipart/form-data; boundary=b",
        b"garbage",
        b"\xff",
        b"",
        None,
    ],
)
def test_what_is_not_json_is_refused(server: Served, world: World, content_type: bytes | None) -> None:
    """Bodies that are broken, or said to be something else, are a 4xx or what their bytes mean."""
    headers = () if content_type is None else ((b"content-type", content_type),)
    bodies = (
        *(
            b"{",
            b"nope",
            b"\xff\xfe",
            b'{"name":"\xff"}',
            b'"\xed\xa0\x80"',
            b"",
            b" ",
            b"null",
            b"NaN",
            b"[1,]",
            b"\x00",
        ),
        *(
            b'{"name":"a","name":"b"}',
            b"\xef\xbb\xbf{}",
            b'{"a":1}rest',
            b"1" * 5000,
            b'{"limit":' + b"9" * 5000 + b"}",
        ),
        *('{"name":"é"}'.encode("utf-16"), b"name=x", b"--b\r\n\r\n--b--", b'{"limit":1e9999}', b"-", b'{"\\ud800":1}'),
    )
    for body in bodies:
        for method, path in (
            ("POST", "/api/flows/"),
            ("POST", "/api/flows/filter"),
            ("POST", "/api/logs/"),
            ("POST", "/api/events"),
            ("PATCH", f"/api/flow_runs/{world.one('flow_run')}/labels"),
            ("DELETE", f"/api/flows/{uuid4()}"),
        ):
            _assert_answered(server.ask(method, path, body, headers))
        chunks = [body[index : index + 1] for index in range(min(len(body), 50))]
        _assert_answered(server.ask("POST", "/api/flows/filter", chunks, headers))


def test_a_body_over_the_limit_is_refused_however_it_comes(server: Served) -> None:
    """413 by what the header says, and by counting where it says nothing."""
    chunk = b" " * 1024 * 1024
    assert server.ask("POST", "/api/flows/filter", b"{}", (*_JSON, (b"content-length", b"9" * 30))).status == 413
    assert server.ask("POST", "/api/flows/filter", [chunk] * 17, _JSON).status == 413
    assert server.ask("POST", "/api/flows/filter", [b"{", chunk, b"}"], _JSON).status == 200


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((b"content-length", value) for value in (b"-1", b"abc", b"1,1", b"1e3", b"", b"\xb2", b"9" * 5000)),
        *((b"x-prefect-api-version", value) for value in (b"0.8", b"\xff", b"9" * 5000 + b".0.0", b"0.8.4\n")),
    ],
    ids=count(),
)
def test_headers_that_cannot_be_read_are_refused(server: Served, name: bytes, value: bytes) -> None:
    """400, and no more."""
    assert server.ask("POST", "/api/flows/filter", b"{}", (*_JSON, (name, value))).status == 400


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((b"user-agent", value) for value in (b"\xff", b"prefect/" + b"9" * 5000 + b".0.0 (API x)")),
        (b"user-agent", "prefect/\N{ARABIC-INDIC DIGIT THREE}.0.0 (API x)".encode()),
        *((b"traceparent", value) for value in (b"", b"\xff", b"00-" + b"0" * 32 + b"-" + b"0" * 16 + b"-00")),
        (b"tracestate", b"\xff,=,="),
        (b"baggage", b"\xff=%ff"),
        *((b"host", value) for value in (b"", b"\xff", b"a b", b"[::1", b"x:y", b"evil.test/path?x#y", b"a" * 70_000)),
        (b"accept-encoding", b"gzip;q=x, \xff"),
        (b"origin", b"\xff"),
        (b"prefect-automation-id", b"nope"),
        (b"cookie", b"\xff=;;="),
    ],
    ids=count(),
)
def test_other_headers_are_taken_for_what_they_are(server: Served, world: World, name: bytes, value: bytes) -> None:
    """What says who asks, or where, does not decide whether there is an answer."""
    headers: Headers = (*_JSON, (name, value), (b"prefect-automation-name", b"!"))
    flow, run = world.one("flow"), world.one("flow_run")
    for method, path, body in (
        ("POST", "/api/events/filter", {"limit": 1, "filter": {"occurred": {"since": "2026-01-01T00:00:00Z"}}}),
        ("POST", "/api/flow_runs/", {"flow_id": flow}),
        ("POST", f"/api/flow_runs/{run}/set_state", {"state": {"type": "PENDING"}}),
        ("POST", "/api/flows", {}),
    ):
        assert server.ask(method, path, json.dumps(body).encode(), headers).status in {200, 201, 307}


def test_who_made_a_run_is_kept_readable(server: Served, world: World) -> None:
    """The name of an automation may hold what columns cannot: runs are still found by who made them."""
    headers: Headers = (
        *_JSON,
        (b"prefect-automation-id", str(uuid4()).encode()),
        (b"prefect-automation-name", b"YQBi"),  # a NUL b
    )
    body = json.dumps({"flow_id": world.one("flow")}).encode()
    made = server.ask("POST", "/api/flow_runs/", body, headers)
    assert made.json()["created_by"]["display_value"] == "a\N{REPLACEMENT CHARACTER}b"
    by_automation = {"flow_runs": {"created_by": {"type_": ["AUTOMATION"]}, "id": {"any_": [made.json()["id"]]}}}
    assert server.ask_json("POST", "/api/flow_runs/count", by_automation).json() == 1


def test_labels_of_events_are_kept_readable(server: Served) -> None:
    """One event with U+0000 in a label does not spoil searches by label for all others."""
    name = str(uuid4())
    event = {
        "id": str(uuid4()),
        "occurred": TIME,
        "event": "e",
        "resource": {"prefect.resource.id": name, "l\x00": "v\x00"},
        "related": [{"prefect.resource.id": name, "prefect.resource.role": "r", "m": "\x00"}],
    }
    assert server.ask_json("POST", "/api/events", [event]).status == 204
    since = {"occurred": {"since": "2026-01-01T00:00:00Z", "until": "2036-01-01T00:00:00Z"}}
    for criteria in (
        {"resource": {"id": [name], "labels": {"l\N{REPLACEMENT CHARACTER}": "v*"}}},
        {"related": {"labels": {"m": "?"}}},
    ):
        found = server.ask_json("POST", "/api/events/filter", {"filter": since | criteria})
        assert [one["id"] for one in found.json()["events"]] == [event["id"]]


@pytest.mark.parametrize(
    "segment",
    [
        "%00",
        "%ff",
        "%ed%a0%80",
        "a%2Fb",
        "%25",
        "..%2f..",
        "%E2%82%AC",
        "%0a",
        "x" * 20_000,
        "%c3%28",
        "+",
        "%20",
        "*",
        '"',
    ],
    ids=count(),
)
def test_segments_of_a_path_can_be_anything(server: Served, world: World, segment: str) -> None:
    """What is no name and no id leads nowhere."""
    run = world.one("flow_run")
    for method, path in (
        ("GET", f"/api/flows/{segment}"),
        ("GET", f"/api/flows/name/{segment}"),
        ("GET", f"/api/flow_runs/{run}/input/{segment}"),
        ("DELETE", f"/api/flow_runs/{run}/input/{segment}"),
        ("GET", f"/api/concurrency_limits/tag/{segment}"),
        ("GET", f"/api/v2/concurrency_limits/{segment}"),
        ("DELETE", f"/api/v2/concurrency_limits/{segment}"),
        ("GET", f"/api/{segment}"),
        ("GET", f"/api/flow_runs/{run}/graph-v2?since={segment}"),
        ("GET", f"/api/flow_run_states/?flow_run_id={segment}"),
        ("GET", f"/api/csrf-token?client={segment}"),
    ):
        assert server.ask(method, path).status in {404, 422}
    assert server.ask("GET", f"/api/events/filter/next?page-token={segment}").status == 403


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE", "PUT", "QUERY", "post", "X" * 100])
def test_a_method_that_is_not_there_is_refused(server: Served, method: str) -> None:
    """405 on a path that others serve, 404 elsewhere."""
    assert server.ask(method, "/api/flows/filter").status == 405
    assert server.ask(method, "/api/nowhere").status == 404


_INSTANTS: Final = ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00", TIME, "9999-12-31T23:59:59.999999Z")


@pytest.mark.parametrize("start", _INSTANTS)
@pytest.mark.parametrize("end", _INSTANTS)
def test_all_of_time_can_be_asked_about(server: Served, world: World, start: str, end: str) -> None:
    """Histories, counts, graphs and lists from the first year to the last, over short and long intervals."""
    run = world.one("flow_run")
    for interval in (1, 86_400.5, 1e10, 1e11):
        body = {"history_start": start, "history_end": end, "history_interval_seconds": interval}
        for resource in ("flow_runs", "task_runs"):
            answer = server.ask_json("POST", f"/api/{resource}/history", body)
            assert answer.status == 200
            assert len(answer.json()) <= 500
    for countable in ("day", "time", "event", "resource"):
        counted = {
            "filter": {"occurred": {"since": start, "until": end}},
            "time_unit": "week",
            "time_interval": 1_000_000,
        }
        assert server.ask_json("POST", f"/api/events/count-by/{countable}", counted).status in {200, 422}
    spans = {"task_runs": {"start_time": {"after_": start, "before_": end}}}
    assert server.ask_json("POST", "/api/ui/task_runs/dashboard/counts", spans).status == 200
    assert server.ask("GET", f"/api/flow_runs/{run}/graph-v2?since={start}").status == 200


def test_runs_of_all_times_add_up(server: Served, world: World) -> None:
    """The lateness of runs that are due since the first year is larger than an integer of the database."""
    flow = world.one("flow")
    state = {"type": "SCHEDULED", "state_details": {"scheduled_time": "0001-01-01T00:00:00Z"}}
    for _ in range(150):
        assert server.ask_json("POST", "/api/flow_runs/", {"flow_id": flow, "state": state}).status == 201
    body = {
        "history_start": "0001-01-01T00:00:00Z",
        "history_end": "0001-01-02T00:00:00Z",
        "history_interval_seconds": 86_400,
        "flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}},
    }
    (interval,) = server.ask_json("POST", "/api/flow_runs/history", body).json()
    assert interval["states"][0]["count_runs"] >= 150
    assert interval["states"][0]["sum_estimated_lateness"] > 150 * 2_000 * 365 * 86_400
    assert server.ask_json("POST", "/api/flow_runs/lateness", {}).json() > 0


@pytest.mark.parametrize("number", [2**31, 2**63 - 1, 2**63, 2**64, -1, 10**400, 1.5, True, "1", None], ids=str)
def test_pages_of_any_number_are_an_answer(server: Served, number: object) -> None:
    """A limit, an offset or a page that is out of range is refused, one that is too far is empty."""
    for path, member in (
        ("flow_runs/filter", "limit"),
        ("flow_runs/filter", "offset"),
        ("task_runs/paginate", "page"),
        ("events/filter", "limit"),
        ("ui/flow_runs/history", "offset"),
        ("v2/concurrency_limits/filter", "offset"),
    ):
        assert server.ask_json("POST", f"/api/{path}", {member: number}).status in {200, 422}
