"""How commands ask a running server: where it is, who asks, and what is told when no answer comes."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from lightwell.cli.remote import Remote, remote
from lightwell.contract.versions import SERVER_VERSION
from lightwell.errors import Forbidden, Invalid, LightwellError, NotFound, Rejected, Unauthenticated, Unavailable
from tests.serving import free_port, lightwell_server

PASSWORD = "admin:hunter2"


class Scripted(ThreadingHTTPServer):
    """A server that answers what it is told to, and remembers what it was asked."""

    daemon_threads = True
    status = 200
    body = b"{}"
    location: str | None = None

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answering)
        self.asked: list[tuple[str, str | None]] = []

    @property
    def api_url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}/api"


class _Answering(BaseHTTPRequestHandler):
    server: Scripted

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers.get("Authorization")))
        is_moved = self.server.location is not None and self.path.startswith("/api")
        self.send_response(307 if is_moved else self.server.status)
        if is_moved:
            self.send_header("Location", str(self.server.location))
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the library's name
        """Say nothing."""


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    """A scripted server that listens."""
    with Scripted() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """An environment with no address and no credentials."""
    for name in ("LIGHTWELL_API_URL", "PREFECT_API_URL", "LIGHTWELL_API_AUTH_STRING", "PREFECT_SERVER_API_AUTH_STRING"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LIGHTWELL_HOME", str(tmp_path))
    return monkeypatch


@pytest.mark.parametrize(
    ("given", "environment", "expected"),
    [
        (None, {}, "http://127.0.0.1:4200/api"),
        (None, {"LIGHTWELL_LISTEN_PORT": "4300"}, "http://127.0.0.1:4300/api"),
        (None, {"PREFECT_API_URL": "http://b.example:4200/api"}, "http://b.example:4200/api"),
        (
            None,
            {"LIGHTWELL_API_URL": "http://a.example/api", "PREFECT_API_URL": "http://b.example/api"},
            "http://a.example/api",
        ),
        ("https://c.example/", {"LIGHTWELL_API_URL": "http://a.example/api"}, "https://c.example/api"),
        ("http://c.example:80/flows/api/", {}, "http://c.example:80/flows/api"),
        (" http://[::1]:4200/api\n", {}, "http://[::1]:4200/api"),
    ],
)
def test_which_server_is_asked(
    bare: pytest.MonkeyPatch, given: str | None, environment: dict[str, str], expected: str
) -> None:
    """The option goes before our variable, that before the client's, and all of them before this machine's server."""
    for name, value in environment.items():
        bare.setenv(name, value)

    assert remote(given).api_url == expected


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize(
    "given", ["localhost:4200", "ftp://a.example/api", "http://", "http://a:b@h:x/api", "http://[::1/api"]
)
def test_what_is_no_address_is_said(given: str) -> None:
    """Before anything is sent, and without the password that may be in it."""
    with pytest.raises(Invalid, match="is no address of a server") as told:
        remote(given)

    assert "a:b" not in told.value.message


def test_credentials(bare: pytest.MonkeyPatch, scripted: Scripted) -> None:
    """Those of the environment, or of the address; never in what is shown, and not sent on to where a server points."""
    bare.setenv("LIGHTWELL_API_AUTH_STRING", PASSWORD)
    by_environment = remote(scripted.api_url)
    by_address = remote(scripted.api_url.replace("//", "//me:p%40ss@"))
    scripted.location = "/elsewhere"

    by_environment.get("/x", {"text": "a b", "route": None, "failed": "true"})
    by_address.get("/x")

    assert scripted.asked == [
        ("/api/x?text=a+b&failed=true", "Basic YWRtaW46aHVudGVyMg=="),
        ("/elsewhere", None),
        ("/api/x", "Basic bWU6cEBzcw=="),
        ("/elsewhere", None),
    ]
    assert PASSWORD not in repr(by_environment)
    assert by_address.api_url == scripted.api_url


@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        (401, {"exception_message": "Unauthorized"}, Unauthenticated, "set LIGHTWELL_API_AUTH_STRING"),
        (403, {"detail": "Missing CSRF token."}, Forbidden, "Missing CSRF token."),
        (404, {"detail": "No trace begins with that"}, NotFound, "No trace begins with that"),
        (404, {}, NotFound, "has no such thing"),
        (
            422,
            {
                "exception_message": "Invalid request received.",
                "exception_detail": [{"loc": ["query", "limit"], "msg": "must be less than 200"}],
            },
            Invalid,
            r"^Invalid request received\. limit: must be less than 200$",
        ),
        (500, {"exception_message": "Internal Server Error", "trace_id": "ab" * 16}, Unavailable, "ab" * 16),
        (503, {"exception_message": "Service Unavailable"}, Unavailable, "answers 503: Service Unavailable"),
        (418, "teapot", Rejected, "refuses with 418"),
    ],
)
def test_refusals_are_told_plainly(
    scripted: Scripted, status: int, body: object, kind: type[LightwellError], said: str
) -> None:
    """The server's own reason, or what to do about it."""
    scripted.status, scripted.body = status, json.dumps(body).encode()

    with pytest.raises(kind, match=said):
        Remote(scripted.api_url).get("/x")


def test_what_is_no_api(scripted: Scripted) -> None:
    """A page instead of JSON is most often an address without its /api."""
    scripted.body = b"<!doctype html>"

    with pytest.raises(Unavailable, match="ends with /api"):
        Remote(scripted.api_url).get("/x")


def test_nobody_listens() -> None:
    """What three in the morning needs: that nothing runs there, and the ways to name another place."""
    with pytest.raises(Unavailable, match=r"Connection refused.*`lightwell serve`.*--url or LIGHTWELL_API_URL"):
        Remote(f"http://127.0.0.1:{free_port()}/api").get("/health")


def test_a_real_server_that_asks_for_credentials(bare: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It answers who has them, and the others learn how to give them."""
    with lightwell_server(tmp_path, {"LIGHTWELL_API_AUTH_STRING": PASSWORD}) as server:
        with pytest.raises(Unauthenticated, match="asks for credentials: set"):
            remote(server.api_url).get("/admin/version")
        bare.setenv("LIGHTWELL_API_AUTH_STRING", "admin:wrong")
        with pytest.raises(Unauthenticated, match="are wrong"):
            remote(server.api_url).get("/admin/version")
        bare.setenv("LIGHTWELL_API_AUTH_STRING", PASSWORD)

        assert remote(server.api_url).get("/admin/version") == SERVER_VERSION
