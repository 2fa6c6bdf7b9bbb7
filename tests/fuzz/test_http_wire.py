"""Octets that are hardly HTTP, sent to a server that runs as it is run: a 4xx or a closed connection, no failure."""

import socket
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.serving import Serving, lightwell_server

_PATIENCE = 5.0
_POST = b"POST /api/flows/filter HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
_GET = b"GET /api/hello HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A server on SQLite; at the end it still serves, and its log holds no error."""
    home: Path = tmp_path_factory.mktemp("wire")
    with lightwell_server(home) as running:
        yield running
        assert httpx.get(f"{running.api_url}/health").json() is True
        assert [line for line in running.log_lines() if line["level"] in {"error", "critical"}] == []


def _exchange(server: Serving, sent: bytes, *, and_leave: bool = True) -> bytes:
    """All that comes back; nothing where the connection is closed without a word."""
    address = urlsplit(server.api_url)
    with socket.create_connection((address.hostname, address.port), timeout=_PATIENCE) as connection:
        received = b""
        try:
            connection.sendall(sent)
            if and_leave:
                connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(65_536):
                received += part
        except ConnectionError:
            pass
        return received


@pytest.mark.parametrize(
    "sent",
    [
        b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"G\xffT / HTTP/1.1\r\n\r\n",
        _POST + b"Content-Length: abc\r\n\r\n{}",
        _POST + b"Content-Length: -1\r\n\r\n{}",
        _POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        _POST + b"Transfer-Encoding: nonsense\r\n\r\n{}",
        _POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        _POST + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
        _GET + b"Bad Header: x\r\n\r\n",
        _GET + b"X: a\x00b\r\n\r\n",
        b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\nHost: h\r\n\r\n",
    ],
    ids=count(),
)
def test_what_is_hardly_a_request(server: Serving, sent: bytes) -> None:
    """The client is told that it is wrong, or is not answered."""
    answer = _exchange(server, sent)
    assert answer == b"" or answer.split(b" ", 2)[1][:1] == b"4", answer[:200]


@pytest.mark.parametrize(
    "sent",
    [
        _POST + b"Content-Length: 100\r\n\r\n{}",
        _POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}",
        _POST + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n",
        _POST,
        b"GET /api/events/out HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    ],
    ids=count(),
)
def test_a_client_that_leaves_in_the_middle(server: Serving, sent: bytes) -> None:
    """A request that never comes to its end is no failure."""
    answer = _exchange(server, sent)
    assert not answer.startswith(b"HTTP/1.1 5"), answer[:200]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (_POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n", 200),
        (_POST + b"Content-Length: 0\r\n\r\n", 200),
        (_POST + b"Content-Length: 99999999999\r\n\r\n{}", 413),
        (_GET + b"Content-Length: 2\r\n\r\n{}", 200),
        (b"GET http://elsewhere.test/api/hello HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", 200),
        (b"GET /%61pi/hello HTTP/1.0\r\n\r\n", 200),
        (b"GET /api/%F0%9F%91%8B HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", 404),
        (b"OPTIONS * HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", 404),
    ],
    ids=count(),
)
def test_what_is_strange_and_right(server: Serving, sent: bytes, status: int) -> None:
    """Chunks, no host, targets in all their forms."""
    assert _exchange(server, sent, and_leave=False).split(b" ", 2)[1] == str(status).encode()
