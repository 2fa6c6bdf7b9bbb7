"""Answers are gzipped for callers that ask for it, where that pays."""

import gzip
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from lightwell.api.compression import Gzip

LONG = "all is well " * 100
VERY_LONG = "all is well " * 10_000


async def _text(request: Request) -> Response:
    return PlainTextResponse({"short": "ok", "long": LONG, "very-long": VERY_LONG}[request.path_params["which"]])


async def _stream(_: Request) -> Response:
    async def parts() -> AsyncIterator[str]:
        for _ in range(50):
            yield LONG

    return StreamingResponse(parts(), media_type="text/csv")


async def _encoded(_: Request) -> Response:
    return Response(gzip.compress(LONG.encode()), headers={"Content-Encoding": "gzip"})


async def _nothing(_: Request) -> Response:
    return Response(status_code=204)


ROUTES = [
    Route("/text/{which}", _text),
    Route("/stream", _stream),
    Route("/encoded", _encoded),
    Route("/nothing", _nothing),
]


async def ask(path: str, accepted: str | None = "gzip, deflate") -> httpx.Response:
    """The answer to a caller that accepts these encodings."""
    app = Gzip(Starlette(routes=ROUTES), smallest=500)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://server") as client:
        client.headers.pop("accept-encoding")
        return await client.get(path, headers={} if accepted is None else {"accept-encoding": accepted})


@pytest.mark.parametrize(("path", "text"), [("/text/long", LONG), ("/text/very-long", VERY_LONG)])
async def test_a_long_answer_is_gzipped(path: str, text: str) -> None:
    """It says so, tells its true length and that it depends on what is asked for."""
    answer = await ask(path)
    assert answer.text == text
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert 0 < int(answer.headers["content-length"]) < len(text) / 5


async def test_a_stream_is_gzipped_as_it_comes() -> None:
    """Its length is not known, and its parts make one whole."""
    answer = await ask("/stream")
    assert answer.text == LONG * 50
    assert answer.headers["content-encoding"] == "gzip"
    assert "content-length" not in answer.headers


@pytest.mark.parametrize("accepted", [None, "identity", "br", "gzip;q=0", "gzip;q=0, br"])
async def test_who_does_not_ask_gets_it_plain(accepted: str | None) -> None:
    """Nothing is done to the answer."""
    answer = await ask("/text/long", accepted)
    assert "content-encoding" not in answer.headers
    assert answer.text == LONG


@pytest.mark.parametrize("path", ["/text/short", "/nothing"])
async def test_what_is_short_stays_plain(path: str) -> None:
    """It would not get shorter."""
    assert "content-encoding" not in (await ask(path)).headers


async def test_what_is_encoded_already_stays_so() -> None:
    """It is not encoded twice."""
    answer = await ask("/encoded")
    assert answer.text == LONG
