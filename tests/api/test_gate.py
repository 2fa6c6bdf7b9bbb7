"""Who may pass: credentials, CSRF tokens, versions, the size of bodies, and pages of other origins."""

import base64
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from lightwell.api.gate import Gate, GateRules
from tests.api.conftest import guarded

PASSWORD = "user:pässword: with colons"


def _basic(text: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(text.encode()).decode()}"}


async def test_credentials_are_asked_for_everywhere(tmp_path: Path) -> None:
    """Also on paths that are not there; the two probes alone are open, by exactly their paths and for GET."""
    async with guarded(tmp_path, auth_string=PASSWORD) as client:
        for path in ("/admin/version", "/nowhere", "/health/", "/ready/x", "//health"):
            answer = await client.get(path)
            assert (answer.status_code, answer.json()) == (401, {"exception_message": "Unauthorized"})
        assert (await client.post("/health")).status_code == 401
        assert (await client.get("/health")).status_code == 200
        assert (await client.get("/ready")).status_code == 200
        assert (await client.get("/admin/version", headers=_basic(PASSWORD))).status_code == 200


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Basic",
        "Basic ",
        "Basic !!!",
        "Bearer abc",
        _basic("user")["Authorization"],
        _basic(f"{PASSWORD} ")["Authorization"],
    ],
)
async def test_other_credentials_do_not_pass(tmp_path: Path, authorization: str) -> None:
    """Whatever is wrong with them, the answer is the same."""
    async with guarded(tmp_path, auth_string=PASSWORD) as client:
        answer = await client.get("/hello", headers={"Authorization": authorization})
        assert (answer.status_code, answer.json()) == (401, {"exception_message": "Unauthorized"})


async def test_the_secret_is_not_shown(tmp_path: Path) -> None:
    """The settings are answered with the password masked."""
    async with guarded(tmp_path, auth_string=PASSWORD) as client:
        answer = await client.get("/admin/settings", headers=_basic(PASSWORD))
    assert answer.json()["server"]["api"]["auth_string"] == "**********"
    assert "pässword" not in answer.text


async def test_changes_bring_a_token(tmp_path: Path) -> None:
    """Each kind of change on every path; reading needs none; a token is of one client and the newest counts."""
    async with guarded(tmp_path, csrf_enabled=True) as client:
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            answer = await client.request(method, "/flows/filter")
            assert (answer.status_code, answer.json()) == (403, {"detail": "Missing CSRF token."})
        assert (await client.get("/hello")).status_code == 200

        first = (await client.get("/csrf-token", params={"client": "one"})).json()
        second = (await client.get("/csrf-token", params={"client": "one"})).json()
        for headers, told in (
            ({"Prefect-Csrf-Token": second["token"]}, "Missing client identifier."),
            (
                {"Prefect-Csrf-Token": second["token"], "Prefect-Csrf-Client": "two"},
                "Invalid CSRF token or client identifier.",
            ),
            (
                {"Prefect-Csrf-Token": first["token"], "Prefect-Csrf-Client": "one"},
                "Invalid CSRF token or client identifier.",
            ),
            (
                {"Prefect-Csrf-Token": "ü\xff", "Prefect-Csrf-Client": "\xff"},
                "Invalid CSRF token or client identifier.",
            ),
            ({"Prefect-Csrf-Token": "", "Prefect-Csrf-Client": ""}, "Invalid CSRF token or client identifier."),
        ):
            encoded = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
            answer = await client.post("/flows/filter", headers=encoded)
            assert (answer.status_code, answer.json()) == (403, {"detail": told})
        right = {"Prefect-Csrf-Token": second["token"], "Prefect-Csrf-Client": "one"}
        assert (await client.post("/flows/filter", headers=right)).status_code == 200


async def test_without_protection_a_client_is_told_so(light_api: httpx.AsyncClient) -> None:
    """422 in these words makes the client go on without tokens."""
    answer = await light_api.get("/csrf-token", params={"client": str(uuid4())})
    assert (answer.status_code, answer.json()) == (422, {"detail": "CSRF protection is disabled."})


@pytest.mark.parametrize(
    ("version", "status"),
    [
        ("0.8.4", 200),
        ("0.8.0", 200),
        ("99.0.0", 200),
        ("", 200),
        ("0.7.9", 400),
        ("0.8", 400),
        ("0.8.4.1", 400),
        ("v1", 400),
    ],
)
async def test_the_api_version_of_a_client(light_api: httpx.AsyncClient, version: str, status: int) -> None:
    """A higher one is fine, a lower or a malformed one is refused; probes answer everybody."""
    headers = {"X-PREFECT-API-VERSION": version}
    assert (await light_api.get("/hello", headers=headers)).status_code == status
    assert (await light_api.get("/health", headers=headers)).status_code == 200


async def test_a_body_has_a_limit(tmp_path: Path) -> None:
    """413 says which, and closes the connection; exactly as much as is allowed passes."""
    async with guarded(tmp_path, max_request_body=1024) as client:
        allowed = await client.post("/flows/filter", content=b"{}".ljust(1024))
        refused = await client.post("/flows/filter", content=b"{}".ljust(1025))
    assert allowed.status_code == 200
    assert (refused.status_code, refused.headers["connection"]) == (413, "close")
    assert "1024 bytes" in refused.json()["detail"]


async def test_a_body_without_a_length_is_counted() -> None:
    """Where the server has no length to tell, as with HTTP/2, the limit holds all the same."""
    sent: list[Any] = []

    async def reads(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            continue
        await PlainTextResponse("read")(scope, receive, send)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"x" * 600, "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/", "headers": [], "http_version": "2"}
    await Gate(reads, GateRules(least_api_version="0.8.0", max_body_size=1024))(scope, receive, send)
    assert sent[0]["status"] == 413


async def test_pages_of_other_origins_need_permission(tmp_path: Path) -> None:
    """None by default; those that are named may call, and read the trace of their requests."""
    origin = {"Origin": "https://pages.test"}
    preflight = origin | {"Access-Control-Request-Method": "POST"}
    async with guarded(tmp_path) as client:
        assert "access-control-allow-origin" not in (await client.get("/hello", headers=origin)).headers
    async with guarded(tmp_path, cors_origins=("https://pages.test",), auth_string=PASSWORD) as client:
        allowed = await client.options("/flows/", headers=preflight)
        assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, "https://pages.test")
        refused = await client.get("/hello", headers=origin)
        assert refused.status_code == 401
        assert refused.headers["access-control-allow-origin"] == "https://pages.test"
        assert "X-Trace-Id" in refused.headers["access-control-expose-headers"]
        other = await client.options("/flows/", headers=preflight | {"Origin": "https://evil.test"})
        assert other.status_code == 400
        assert "access-control-allow-origin" not in other.headers


async def test_every_answer_carries_its_trace(light_api: httpx.AsyncClient) -> None:
    """Also those of the gate, of no route and of no method."""
    for method, path in (("GET", "/hello"), ("GET", "/nowhere"), ("GET", "/flows/filter"), ("POST", "/flows/")):
        assert len((await light_api.request(method, path)).headers["x-trace-id"]) == 32
