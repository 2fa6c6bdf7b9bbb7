"""The one small page at `/`, as a browser gets it."""

import base64
import hashlib
import re
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from lightwell.ui import LandingPage


def application(api_url: str) -> Starlette:
    """The page, mounted at the root as the server mounts it."""
    return Starlette(routes=[Mount("/", app=LandingPage(version="1.2.3", api_version="0.8.4", api_url=api_url))])


@pytest.fixture
async def browser() -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application that has nothing but the page."""
    transport = httpx.ASGITransport(application("/api"))
    async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
        yield client


async def page_for(api_url: str) -> httpx.Response:
    """The page of a server whose API is at this address."""
    transport = httpx.ASGITransport(application(api_url))
    async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
        return await client.get("/")


async def test_it_says_what_runs_here(browser: httpx.AsyncClient) -> None:
    """Version, API version, documents and the command for a client are on the page."""
    answer = await browser.get("/")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    for text in ("1.2.3", "0.8.4", "/api/docs", "/api/openapi.json", "/ready", "export PREFECT_API_URL="):
        assert text in answer.text


async def test_it_needs_nothing_from_elsewhere(browser: httpx.AsyncClient) -> None:
    """No font, script, style or image is loaded: the page works without a network, and tells nobody of its reader."""
    page = (await browser.get("/")).text

    assert not re.findall(r"(?:src|href)=[\"']?(?:https?:)?//", page)
    assert not re.findall(r"<link(?! rel=\"icon\" href=\"data:)|<img|@import|url\(", page)


async def test_its_script_is_the_one_its_policy_allows(browser: httpx.AsyncClient) -> None:
    """The content security policy names the script by its hash, so that no other one runs."""
    answer = await browser.get("/")
    script = re.search(r"<script>(.*?)</script>", answer.text, re.DOTALL)
    assert script is not None
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()

    policy = answer.headers["content-security-policy"]
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy


async def test_an_api_elsewhere_may_be_asked() -> None:
    """Where the API has another origin the page asks there, and only there."""
    answer = await page_for("https://api.example.org/here/api/")

    assert '"https://api.example.org/here/api"' in answer.text
    assert answer.headers["content-security-policy"].endswith("connect-src 'self' https://api.example.org")


async def test_an_address_cannot_end_the_script() -> None:
    """What an operator sets is data in the page, never markup."""
    answer = await page_for("/api</script><script>alert(1)</script>")

    assert "<script>alert" not in answer.text


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/flow-runs", 404), ("POST", "/", 405)])
async def test_there_is_one_page_and_it_is_read_only(
    browser: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    """Other paths are not found, other methods refused."""
    assert (await browser.request(method, path)).status_code == status


async def test_head_answers_no_body(browser: httpx.AsyncClient) -> None:
    """HEAD is what monitors send."""
    answer = await browser.head("/")

    assert answer.status_code == 200
    assert int(answer.headers["content-length"]) > 1000
