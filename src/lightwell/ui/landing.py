"""The page at `/` until there are pages of our own: what runs here, whether it is ready, where its documents are."""

import base64
import hashlib
import html
import json
import re
from importlib.resources import files
from string import Template

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketClose

_TEMPLATE = Template((files("lightwell.ui") / "landing.html").read_text(encoding="utf-8"))
_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


class LandingPage:
    """An ASGI application with one page, at its root.

    `api_url` is the API's address, absolute or a path of this server.
    """

    def __init__(self, *, version: str, api_version: str, api_url: str = "/api") -> None:
        # "<" in a script could end it, wherever it stands; in JSON it can be written as an escape.
        address = json.dumps(api_url.rstrip("/")).replace("<", "\\u003c")
        page = _TEMPLATE.substitute(
            version=html.escape(version), api_version=html.escape(api_version), api_url_json=address
        )
        self._response = HTMLResponse(
            page, headers={"cache-control": "no-cache", "content-security-policy": _policy(page, api_url)}
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the page; any other path is a 404 for the application around this one to answer."""
        if scope["type"] == "websocket":
            await WebSocketClose()(scope, receive, send)
            return
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        if path not in {"", "/"}:
            raise HTTPException(status_code=404)
        if scope["method"] not in {"GET", "HEAD"}:
            raise HTTPException(status_code=405, headers={"Allow": "GET, HEAD"})
        response: Response = self._response
        await response(scope, receive, send)


def _policy(page: str, api_url: str) -> str:
    """The page may do what it does: its own style, icon and script, and questions to the API."""
    script = _SCRIPT.search(page)
    digest = hashlib.sha256(script[1].encode()).digest() if script else b""
    origin = re.match(r"https?://[^/\s;,]+", api_url)
    asked = f"'self' {origin[0]}" if origin else "'self'"
    return (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
        f"frame-ancestors 'none'; script-src 'sha256-{base64.b64encode(digest).decode()}'; connect-src {asked}"
    )
