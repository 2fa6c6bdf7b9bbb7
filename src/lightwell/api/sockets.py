"""The handshake that every websocket begins with: subprotocol `prefect`, then a message that authenticates."""

import hmac
import json
from typing import Any

from pydantic import ValidationError
from starlette.websockets import WebSocket, WebSocketDisconnect

PROTOCOL_ERROR = 1002
POLICY_VIOLATION = 1008
TRY_AGAIN_LATER = 1013

_SUBPROTOCOL = "prefect"
_LONGEST_REASON = 123
"""In bytes: what a close frame has room for."""
_PLACES_SHOWN = 3


class Refused(Exception):
    """The connection was closed by the server with `code` and `reason`; there is nothing left to do."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


async def accept(websocket: WebSocket, auth_string: str | None) -> None:
    """Accept a connection and authenticate it.

    A client without the subprotocol is an old one: it is accepted with no handshake where no credentials are asked
    for. Raises Refused after closing, and WebSocketDisconnect where the client leaves.
    """
    if _SUBPROTOCOL not in websocket.scope["subprotocols"]:
        if auth_string is not None:
            raise await refusal(websocket, PROTOCOL_ERROR, "The 'prefect' subprotocol is required")
        await websocket.accept()
        return
    await websocket.accept(subprotocol=_SUBPROTOCOL)
    message = await receive_message(websocket)
    if message.get("type") != "auth":
        raise await refusal(websocket, POLICY_VIOLATION, "Expected 'auth' message")
    if auth_string is not None:
        token = message.get("token")
        if not token:
            raise await refusal(websocket, POLICY_VIOLATION, "Auth required but no token provided")
        if not isinstance(token, str) or not hmac.compare_digest(
            token.encode("utf-8", "replace"), auth_string.encode()
        ):
            raise await refusal(websocket, POLICY_VIOLATION, "Invalid token")
    await websocket.send_json({"type": "auth_success"})


async def refusal(websocket: WebSocket, code: int, reason: str) -> Refused:
    """Close the connection; raise what is returned."""
    await close(websocket, code, reason)
    return Refused(code, reason)


async def invalid(websocket: WebSocket, what: str, error: ValidationError) -> Refused:
    """Close the connection with 1002 and the places that are wrong; raise what is returned."""
    found = error.errors(include_input=False, include_context=False, include_url=False)[:_PLACES_SHOWN]
    places = "; ".join(".".join(str(part) for part in problem["loc"]) for problem in found)
    return await refusal(websocket, PROTOCOL_ERROR, f"Invalid {what}: {places}")


async def close(websocket: WebSocket, code: int, reason: str) -> None:
    """Close the connection, if it still is one; a reason that is too long for a close frame is cut."""
    short = reason.encode("utf-8", "replace")[:_LONGEST_REASON].decode("utf-8", "ignore")
    try:
        await websocket.close(code, short)
    except (RuntimeError, WebSocketDisconnect):
        return


async def receive_message(websocket: WebSocket) -> dict[str, Any]:
    """The next message, a JSON object.

    Raises Refused (after closing with 1002) if it is anything else, and WebSocketDisconnect at the end.
    """
    frame = await websocket.receive()
    if frame["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(frame["code"], frame.get("reason"))
    try:
        message = json.loads(frame.get("text") or frame.get("bytes") or b"")
    except (ValueError, RecursionError):
        message = None
    if not isinstance(message, dict):
        raise await refusal(websocket, PROTOCOL_ERROR, "Expected a JSON object")
    return message


async def until_closed(websocket: WebSocket) -> None:
    """Read and ignore what the client sends until it leaves."""
    while (await websocket.receive())["type"] != "websocket.disconnect":
        continue
