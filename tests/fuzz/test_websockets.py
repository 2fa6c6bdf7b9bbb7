"""What a client can say over a websocket at the edge of sense: a close with a reason, never a failure of the server."""

import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.sync.connection import Connection
from websockets.typing import Subprotocol

from tests.postgres import PostgresServer
from tests.serving import Serving, lightwell_server

_ANSWER_SECONDS: Final = 10.0
_TOKEN: Final = "user:pässword"
_EVENT: Final[dict[str, Any]] = {
    "id": "0b0f9a3e-6d0c-4e0e-9d5e-0123456789ab",
    "occurred": "2026-06-01T12:00:00Z",
    "event": "e",
    "resource": {"prefect.resource.id": "r"},
}
_FILTER: Final = {"type": "filter", "filter": {}}
_PATHS: Final = ("/events/in", "/events/out", "/logs/out")
_PROTOCOL_ERROR: Final = 1002
_POLICY_VIOLATION: Final = 1008


def _frame(head: int, payload: bytes) -> bytes:
    """A frame as a client sends it, with a mask that changes nothing; its first octet is as given."""
    length = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + len(payload).to_bytes(2)
    return bytes([head]) + length + bytes(4) + payload


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A server that asks for a password; at the end its log holds no error."""
    environment = {"LIGHTWELL_API_AUTH_STRING": _TOKEN}
    if request.param == "postgresql":
        postgres: PostgresServer = request.getfixturevalue("postgres")
        environment["LIGHTWELL_DATABASE_URL"] = postgres.create_database()
    home: Path = tmp_path_factory.mktemp("websockets")
    with lightwell_server(home, environment) as running:
        yield running
        assert running.process.poll() is None
        assert [line for line in running.log_lines() if line["level"] in {"error", "critical"}] == []
        assert "Traceback" not in running.log.read_text()


def _connect(server: Serving, path: str) -> ClientConnection:
    url = server.api_url.replace("http://", "ws://", 1) + path
    return connect(url, subprotocols=[Subprotocol("prefect")], open_timeout=_ANSWER_SECONDS, proxy=None)


def _welcomed(server: Serving, path: str) -> ClientConnection:
    connection = _connect(server, path)
    connection.send(json.dumps({"type": "auth", "token": _TOKEN}))
    assert json.loads(connection.recv(_ANSWER_SECONDS)) == {"type": "auth_success"}
    return connection


def _closed(connection: Connection) -> tuple[int, str]:
    """How the server ends the conversation."""
    with pytest.raises(ConnectionClosed) as closed:
        connection.recv(_ANSWER_SECONDS)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code, closed.value.rcvd.reason


@pytest.mark.parametrize("path", _PATHS)
@pytest.mark.parametrize(
    ("first", "close"),
    [
        ("nope", (_PROTOCOL_ERROR, "Expected a JSON object")),
        ("", (_PROTOCOL_ERROR, "Expected a JSON object")),
        ("[" * 100_000, (_PROTOCOL_ERROR, "Expected a JSON object")),
        ("9" * 10_000, (_PROTOCOL_ERROR, "Expected a JSON object")),
        (b"\xff\xfe\x00", (_PROTOCOL_ERROR, "Expected a JSON object")),
        ('"auth"', (_PROTOCOL_ERROR, "Expected a JSON object")),
        ("{}", (_POLICY_VIOLATION, "Expected 'auth' message")),
        ('{"type": ["auth"]}', (_POLICY_VIOLATION, "Expected 'auth' message")),
        ('{"type": "auth"}', (_POLICY_VIOLATION, "Auth required but no token provided")),
        ('{"type": "auth", "token": "wrong"}', (_POLICY_VIOLATION, "Invalid token")),
        (b'{"type": "auth", "token": "wrong"}', (_POLICY_VIOLATION, "Invalid token")),
        ('{"type": "auth", "token": ["user:password"]}', (_POLICY_VIOLATION, "Invalid token")),
        ('{"type": "auth", "token": "\\ud800"}', (_POLICY_VIOLATION, "Invalid token")),
        ('{"type": "auth", "token": 1e999}', (_POLICY_VIOLATION, "Invalid token")),
    ],
)
def test_a_bad_first_message_is_told_why(
    server: Serving, path: str, first: str | bytes, close: tuple[int, str]
) -> None:
    """The handshake ends with a code and a reason, whatever it was that came."""
    with _connect(server, path) as connection:
        connection.send(first)
        assert _closed(connection) == close


@pytest.mark.parametrize("path", ["/events/out", "/logs/out"])
@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({"type": "auth", "token": _TOKEN}, "Expected 'filter' message"),
        ({"filter": {}}, "Expected 'filter' message"),
        ({"type": "filter"}, "Invalid filter: "),
        ({"type": "filter", "filter": None}, "Invalid filter: "),
        ({"type": "filter", "filter": [1]}, "Invalid filter: "),
        ({"type": "filter", "filter": {"nope": 1}}, "Invalid filter: nope"),
        ({"type": "filter", "filter": {"n\ud800": 1}}, "Invalid filter: "),
        ({"type": "filter", "filter": {"ключ" * 100: 1}}, "Invalid filter: ключ"),
        ({"type": "filter", "filter": {"text": {"query": "x" * 201}}}, "Invalid filter: text.query"),
    ],
)
def test_what_is_no_filter_is_told_where(server: Serving, path: str, message: object, reason: str) -> None:
    """1002, and a reason that fits into the close frame, however long and odd the names are."""
    with _welcomed(server, path) as connection:
        connection.send(json.dumps(message))
        code, told = _closed(connection)
    assert code == _PROTOCOL_ERROR
    assert told.startswith(reason)


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ("nope", "Invalid event: "),
        ("", "Invalid event: "),
        (b"\xff", "Invalid event: "),
        ("[]", "Invalid event: "),
        ("[" * 100_000, "Invalid event: "),
        (json.dumps(_EVENT | {"resource": {}}), "Invalid event: resource"),
        (
            json.dumps(_EVENT | {"resource": {"ключ" * 100: 1, "prefect.resource.id": "r"}}),
            "Invalid event: resource.ключ",
        ),
        (json.dumps(_EVENT | {"occurred": "10000-01-01T00:00:00Z"}), "Invalid event: occurred"),
        (json.dumps(_EVENT | {"payload": {"a": "\ud800"}}), "Invalid event: "),
        (json.dumps(_EVENT | {"payload": {"a": 10**400}, "id": 1}), "Invalid event: id"),
    ],
)
def test_a_bad_event_ends_the_conversation(server: Serving, event: str | bytes, reason: str) -> None:
    """1002 and the place; what came before is kept."""
    with _welcomed(server, "/events/in") as connection:
        connection.send(json.dumps(_EVENT))
        connection.send(event)
        code, told = _closed(connection)
    assert code == _PROTOCOL_ERROR
    assert told.startswith(reason)


@pytest.mark.parametrize("path", _PATHS)
@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (_frame(0x81, b"\xff\xfe"), 1007),
        (_frame(0x80, b"x"), 1002),
        (_frame(0xC1, b"x"), 1002),
        (_frame(0x83, b"x"), 1002),
        (_frame(0x89, b"x" * 126), 1002),
        (b"\x81\xff" + (20 * 1024 * 1024).to_bytes(8) + bytes(4), 1009),
    ],
    ids=["no UTF-8", "continues nothing", "a reserved bit", "a reserved kind", "a long ping", "too large"],
)
def test_a_frame_that_breaks_the_protocol_ends_it(server: Serving, path: str, frame: bytes, code: int) -> None:
    """The code is the one that the websocket protocol has for it; of what is too large the length is read, no more."""
    with _welcomed(server, path) as connection:
        connection.socket.sendall(frame)
        assert _closed(connection)[0] == code


@pytest.mark.parametrize("path", _PATHS)
def test_a_client_may_leave_at_any_moment(server: Serving, path: str) -> None:
    """Before the handshake, inside of it, and with messages on their way; with and without a word."""
    second = _EVENT if path.endswith("/in") else _FILTER
    said = [json.dumps(message) for message in ({"type": "auth", "token": _TOKEN}, second, _EVENT)]
    for messages in range(4):
        for abruptly in (True, False):
            connection = _connect(server, path)
            for message in said[:messages]:
                connection.send(message)
            if abruptly:
                connection.socket.shutdown(socket.SHUT_RDWR)
            else:
                connection.close()
    _welcomed(server, path).close()


_JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
_MEMBERS: Final = st.sampled_from(
    ["type", "filter", "backfill", "occurred", "since", "until", "event", "name", "resource", "id", "labels", "related"]
)
_SHAPED: Final = st.recursive(
    _JSON
    | st.sampled_from(["filter", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "2028-02-29T00:00:00Z", "*", "!"]),
    lambda inner: st.dictionaries(_MEMBERS, inner, max_size=4) | st.lists(inner, max_size=2),
    max_leaves=15,
)


@pytest.mark.parametrize("path", _PATHS)
def test_any_json_is_taken_or_refused(server: Serving, path: str) -> None:
    """Made-up messages get 1002, or silence where they happen to be right: the next ping is answered then."""

    @seed(5)
    @settings(
        max_examples=40,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(message=_SHAPED, is_filter=st.booleans(), is_binary=st.booleans())
    def talk(message: object, *, is_filter: bool, is_binary: bool) -> None:
        whole = {"type": "filter", "filter": message} if is_filter else message
        with _welcomed(server, path) as connection:
            connection.send(json.dumps(whole).encode() if is_binary else json.dumps(whole))
            with suppress(ConnectionClosed):
                connection.ping(ack_on_close=True).wait(0.2)
        assert connection.close_code in {1000, _PROTOCOL_ERROR}

    talk()


@pytest.mark.parametrize("until", ["2028-02-29T12:00:00Z", "9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00Z"])
def test_a_subscription_may_end_at_any_time(server: Serving, until: str) -> None:
    """The end of the filter is that of the backlog; the subscription lives on."""
    with _welcomed(server, "/events/out") as connection:
        connection.send(json.dumps({"type": "filter", "filter": {"occurred": {"until": until}}}))
        assert connection.ping().wait(_ANSWER_SECONDS)
