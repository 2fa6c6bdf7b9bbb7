"""The files of a single page application, asked for as browsers and as intruders do."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from lightwell.ui import SPAStaticFiles

SECRET = "what lies outside"
IMMUTABLE = "public, max-age=31536000, immutable"


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    """A directory of built pages, with a secret beside it."""
    (tmp_path / "secret.txt").write_text(SECRET)
    (tmp_path / "pages-secret").mkdir()
    (tmp_path / "pages-secret" / "secret.txt").write_text(SECRET)
    directory = tmp_path / "pages"
    (directory / "assets").mkdir(parents=True)
    (directory / "index.html").write_text("<p>the index</p>")
    (directory / "favicon.svg").write_text("<svg/>")
    (directory / "assets" / "index-Dq3x_9Zk.js").write_text("run()")
    (directory / "assets" / "some-component.js").write_text("part()")
    (directory / "chunk.0a1b2c3d4e.css").write_text("p {}")
    (directory / "way-out.txt").symlink_to(tmp_path / "secret.txt")
    (directory / "way-out").symlink_to(tmp_path)
    return directory


def application(directory: Path) -> Starlette:
    """The files, mounted at the root as the server mounts them."""
    return Starlette(routes=[Mount("/", app=SPAStaticFiles(directory=directory))])


@pytest.fixture
async def browser(pages: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application that has nothing but the pages."""
    transport = httpx.ASGITransport(application(pages))
    async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
        yield client


async def ask(directory: Path, path: str) -> tuple[int, bytes]:
    """Status and body for exactly this path, unchanged by any client."""
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: object) -> None:
        assert isinstance(message, dict)
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "method": "GET",
        "path": path,
        "root_path": "",
        "headers": [],
        "query_string": b"",
    }
    await application(directory)(scope, receive, send)
    body = b"".join(part for message in sent if isinstance(part := message.get("body", b""), bytes))
    status = sent[0]["status"]
    assert isinstance(status, int)
    return status, body


@pytest.mark.parametrize("path", ["/", "/flow-runs", "/flow-runs/1234/logs", "/assets/"])
async def test_a_path_that_is_no_file_answers_the_index(browser: httpx.AsyncClient, path: str) -> None:
    """A page can be opened by its address, and the index is asked for again each time."""
    answer = await browser.get(path)

    assert answer.status_code == 200
    assert answer.text == "<p>the index</p>"
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("path", ["/assets/index-gone1234.js", "/missing.png", "/deep/er/missing.css.map"])
async def test_a_missing_asset_is_a_true_404(browser: httpx.AsyncClient, path: str) -> None:
    """An old page that asks for a script of an older build must not get HTML for it."""
    assert (await browser.get(path)).status_code == 404


@pytest.mark.parametrize(
    ("path", "caching"),
    [
        ("/assets/index-Dq3x_9Zk.js", IMMUTABLE),
        ("/chunk.0a1b2c3d4e.css", IMMUTABLE),
        ("/assets/some-component.js", "no-cache"),
        ("/favicon.svg", "no-cache"),
        ("/index.html", "no-cache"),
    ],
)
async def test_only_files_named_by_their_content_are_cached_for_ever(
    browser: httpx.AsyncClient, path: str, caching: str
) -> None:
    """A hash in the name is the only promise that the content will not change."""
    answer = await browser.get(path)

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == caching


@pytest.mark.parametrize("path", ["/", "/flow-runs", "/assets/index-Dq3x_9Zk.js"])
async def test_an_unchanged_file_is_answered_304(browser: httpx.AsyncClient, path: str) -> None:
    """Both conditions that browsers send are honoured, and the answer says again how long to keep it."""
    first = await browser.get(path)
    by_tag = await browser.get(path, headers={"if-none-match": first.headers["etag"]})
    by_time = await browser.get(path, headers={"if-modified-since": first.headers["last-modified"]})
    changed = await browser.get(path, headers={"if-none-match": '"another"'})

    assert [by_tag.status_code, by_time.status_code, changed.status_code] == [304, 304, 200]
    assert by_tag.headers["cache-control"] == first.headers["cache-control"]
    assert by_tag.content == b""


@pytest.mark.parametrize("path", ["/", "/flow-runs", "/favicon.svg"])
async def test_head_answers_the_headers_alone(browser: httpx.AsyncClient, path: str) -> None:
    """HEAD tells what GET would, without the body."""
    head, get = await browser.head(path), await browser.get(path)

    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["content-length"] == str(len(get.content))
    assert head.headers["etag"] == get.headers["etag"]


async def test_other_methods_are_refused(browser: httpx.AsyncClient) -> None:
    """Pages are read only."""
    answer = await browser.post("/flow-runs")

    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/assets/../../secret.txt",
        "/..",
        "/../pages-secret/secret.txt",
        "//../secret.txt",
        "/./.././secret.txt",
        "/..\\secret.txt",
        "/way-out.txt",
        "/way-out/secret.txt",
        "/way-out/pages/../secret.txt",
        "/secret.txt\0.html",
        "/\0",
        "/%2e%2e/secret.txt",
        "/" + "a" * 5000,
    ],
)
async def test_nothing_outside_the_directory_can_be_read(pages: Path, path: str) -> None:
    """Neither dots, links, NUL bytes nor what a proxy decoded twice leads out."""
    status, body = await ask(pages, path)

    assert status in {200, 404}
    assert SECRET.encode() not in body
    assert (status == 404) == (body != b"<p>the index</p>")


async def test_an_absolute_path_stays_inside(pages: Path) -> None:
    """A path that names a real file of the machine is looked for in the directory alone."""
    status, body = await ask(pages, "/" + str(pages.parent / "secret.txt"))

    assert status == 404
    assert SECRET.encode() not in body


async def test_a_websocket_is_closed(pages: Path) -> None:
    """Somebody who opens a websocket on a page's path is turned away without an error in the server."""
    sent: list[object] = []

    async def receive() -> dict[str, object]:
        return {"type": "websocket.connect"}

    async def send(message: object) -> None:
        sent.append(message)

    scope = {"type": "websocket", "path": "/flow-runs", "root_path": "", "headers": [], "query_string": b""}
    await application(pages)(scope, receive, send)

    assert sent == [{"type": "websocket.close", "code": 1000, "reason": ""}]


def test_a_directory_that_does_not_exist_is_told_at_once(tmp_path: Path) -> None:
    """The mistake is seen at the start, not by the first visitor."""
    with pytest.raises(RuntimeError, match="does not exist"):
        SPAStaticFiles(directory=tmp_path / "nothing")
