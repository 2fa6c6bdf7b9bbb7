"""What goes wrong becomes an answer here: error kind to status, body, structured event and span status.

`install(app)` registers every handler. Bodies tell the caller what it did; they never tell what is inside the server.
"""

import math
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final, get_args

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Scope

from lightwell.api.locations import shown_locations
from lightwell.errors import (
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    Locked,
    NotFound,
    OutOfOrder,
    Rejected,
    Unauthenticated,
    Unavailable,
)
from lightwell.instrumentation import vocabulary as events
from lightwell.instrumentation.failures import fail, tell, trace_id
from lightwell.instrumentation.outcomes import outcome_of, qualified_name

Handler = Callable[[Request, Any], Coroutine[Any, Any, Response]]

_STATUSES: Final[dict[type[Rejected], int]] = {
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    Gone: 410,
    Invalid: 422,
    Locked: 423,
}
_BAD_REQUEST: Final = 400
_CLIENT_CLOSED_REQUEST: Final = 499
_BODILESS: Final = frozenset({204, 304})
_DEEPEST: Final = 100
_CHALLENGE: Final = {"WWW-Authenticate": 'Basic realm="lightwell"'}


class DetailProblem(BaseModel):
    """What a refused request is answered; `trace_id` where it helps to find out why."""

    detail: Any
    trace_id: str | None = None


class MessageProblem(BaseModel):
    """What is answered when an object does not exist, credentials are missing, or the server failed."""

    exception_message: str
    trace_id: str | None = None


class ValidationProblem(BaseModel):
    """What is answered when a request does not have the shape it must have."""

    exception_message: str
    exception_detail: list[dict[str, Any]]
    request_body: Any = None


RESPONSE_MODELS: Final[dict[int | str, dict[str, Any]]] = {
    400: {"model": DetailProblem, "description": "The API version or the request cannot be understood."},
    401: {"model": MessageProblem, "description": "Credentials are missing or wrong."},
    403: {"model": DetailProblem, "description": "Not allowed, or the CSRF token is missing or wrong."},
    404: {"model": DetailProblem | MessageProblem, "description": "There is no such object or path."},
    409: {"model": DetailProblem, "description": "The change contradicts what is stored."},
    413: {"model": DetailProblem, "description": "The body is too large."},
    422: {"model": ValidationProblem | DetailProblem, "description": "The request is not valid."},
    500: {"model": MessageProblem, "description": "The server failed."},
    503: {"model": MessageProblem, "description": "Time will mend it: try again after `Retry-After` seconds."},
}
"""What any operation may answer beside its own. An operation with these has its OpenAPI document define the models."""


def _reference(model: Any) -> dict[str, Any]:
    references = [{"$ref": f"#/components/schemas/{one.__name__}"} for one in get_args(model) or (model,)]
    return references[0] if len(references) == 1 else {"anyOf": references}


RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    status: {
        "description": response["description"],
        "content": {"application/json": {"schema": _reference(response["model"])}},
    }
    for status, response in RESPONSE_MODELS.items()
}
"""The same for operations in a document that defines them: the framework makes a validator for each model that it is
given, which for all operations was a sixth of a start."""


class Answer(JSONResponse):
    """JSON of anything that a caller can have sent: NaN is null, bytes and broken text are made readable."""

    def render(self, content: Any) -> bytes:
        """Write the content as JSON."""
        try:
            return to_json(content, inf_nan_mode="null", fallback=_shown)
        except (ValueError, RecursionError):
            return to_json(_readable(content, 0), inf_nan_mode="null")


async def validation_exception_handler(_request: Request, error: RequestValidationError) -> Response:
    """422: what is wrong and the body as it came, to the caller; number, places and types alone to telemetry."""
    found = error.errors()
    tell(
        events.VALIDATION_FAILED,
        count=len(found),
        locations=shown_locations(one.get("loc", ()) for one in found),
        types=sorted({str(one.get("type")) for one in found})[:20],
    )
    return Answer(
        {
            "exception_message": "Invalid request received.",
            "exception_detail": found,
            "request_body": getattr(error, "body", None),
        },
        422,
    )


async def integrity_exception_handler(_request: Request, error: Exception) -> Response:
    """409: the change contradicts what is stored."""
    cause = error.__cause__ or error
    tell(
        events.CONFLICT,
        constraint=getattr(error, "constraint", None) or "unknown",
        exception_type=qualified_name(cause),
    )
    detail = error.message if isinstance(error, Conflict) else "The change contradicts what is stored."
    return Answer({"detail": detail, "trace_id": trace_id()}, 409)


async def prefect_object_not_found_exception_handler(_request: Request, error: Exception) -> Response:
    """404: the object does not exist."""
    tell(events.OBJECT_NOT_FOUND, object_type=getattr(error, "kind", None) or "unknown")
    shape = "exception_message" if getattr(error, "is_missed_by_verb", True) else "detail"
    return Answer({shape: str(error)}, 404)


async def rejected_exception_handler(_request: Request, error: Rejected) -> Response:
    """The other things that the caller can mend: 401, 403, 410, 422, 423."""
    status = next((_STATUSES[kind] for kind in type(error).__mro__ if kind in _STATUSES), _BAD_REQUEST)
    tell(events.REQUEST_REJECTED, status=status, outcome=outcome_of(error))
    if isinstance(error, Unauthenticated):
        return Answer({"exception_message": "Unauthorized"}, status, headers=_CHALLENGE)
    retry_after = error.retry_after if isinstance(error, Locked) else None
    headers = None if retry_after is None else {"Retry-After": _fraction(retry_after)}
    return Answer({"detail": error.message}, status, headers=headers)


async def custom_internal_exception_handler(_request: Request, error: Exception) -> Response:
    """503 for what time can mend, 500 for the rest: the stack is for telemetry, the caller learns the trace id."""
    if isinstance(error, Unavailable):
        retry_after = _seconds(error.retry_after)
        fail(error, events.REQUEST_UNAVAILABLE, with_stack=False, retry_after=int(retry_after))
        return Answer(
            {
                "exception_message": error.message if isinstance(error, OutOfOrder) else "Service Unavailable",
                "trace_id": trace_id(),
            },
            503,
            headers={"Retry-After": retry_after},
        )
    fail(error, events.REQUEST_FAILED)
    return Answer({"exception_message": "Internal Server Error", "trace_id": trace_id()}, 500)


async def http_exception_handler(_request: Request, error: HTTPException) -> Response:
    """What the framework refuses: no such route, no such method, a body that cannot be read."""
    if error.status_code in _BODILESS:
        return Response(status_code=error.status_code, headers=error.headers)
    return Answer({"detail": error.detail}, error.status_code, headers=error.headers)


async def disconnect_handler(_request: Request, _error: ClientDisconnect) -> Response:
    """The client has left: nobody reads this answer, and the HTTP middleware has counted it."""
    return Response(status_code=_CLIENT_CLOSED_REQUEST)


HANDLERS: Final[Mapping[type[Exception], Handler]] = {
    RequestValidationError: validation_exception_handler,
    Conflict: integrity_exception_handler,
    NotFound: prefect_object_not_found_exception_handler,
    Rejected: rejected_exception_handler,
    Unavailable: custom_internal_exception_handler,
    HTTPException: http_exception_handler,
    ClientDisconnect: disconnect_handler,
    Exception: custom_internal_exception_handler,
}


def install(app: FastAPI) -> None:
    """Register every handler on an application; those that it has already for the same kinds are replaced."""
    for kind, handler in HANDLERS.items():
        app.add_exception_handler(kind, handler)


def refused(status: int, detail: str, headers: Mapping[str, str] | None = None) -> HTTPException:
    """To raise for a status that no kind of error stands for; the body is `{"detail": detail}`."""
    return HTTPException(status, detail, headers=headers)


def no_such_path() -> HTTPException:
    """To raise for a path that leads nowhere, also one whose id is no UUID: 404 `{"detail": "Not Found"}`."""
    return HTTPException(404, "Not Found")


def bad_request(_scope: Scope, detail: str) -> Response:
    """400, from a layer in front of the routes."""
    return Answer({"detail": detail}, _BAD_REQUEST)


def unauthorized(_scope: Scope) -> Response:
    """401, from a layer in front of the routes."""
    tell(events.REQUEST_REJECTED, status=401, outcome=Unauthenticated.__name__)
    return Answer({"exception_message": "Unauthorized"}, 401, headers=_CHALLENGE)


def forbidden(_scope: Scope, detail: str) -> Response:
    """403, from a layer in front of the routes."""
    tell(events.REQUEST_REJECTED, status=403, outcome=Forbidden.__name__)
    return Answer({"detail": detail}, 403)


def content_too_large(_scope: Scope, most_bytes: int) -> Response:
    """413, from a layer in front of the routes; the connection is closed, as the body was not read."""
    return Answer({"detail": f"The body is larger than {most_bytes} bytes."}, 413, headers={"Connection": "close"})


def _seconds(retry_after: float) -> str:
    """What `Retry-After` can hold: whole seconds, one at least."""
    return str(max(1, math.ceil(retry_after))) if math.isfinite(retry_after) else "1"


def _fraction(retry_after: float) -> str:
    """What clients that wait for slots read from `Retry-After`: a slot can be free again in less than a second."""
    return str(max(0.01, round(retry_after, 3))) if math.isfinite(retry_after) else "1.0"


def _shown(value: object) -> Any:
    """Something that JSON has no form for: an exception in the context of a validation error, a form, a class."""
    return {} if isinstance(value, BaseException | HTTPConnection) else str(value)


def _readable(value: object, depth: int) -> object:
    if depth > _DEEPEST:
        return None
    readable: object = value
    match value:
        case None | bool() | int() | float():
            pass
        case str():
            readable = value.encode("utf-8", "backslashreplace").decode()
        case bytes() | bytearray():
            readable = bytes(value).decode("utf-8", "backslashreplace")
        case Mapping():
            readable = {str(_readable(key, depth)): _readable(one, depth + 1) for key, one in value.items()}
        case list() | tuple() | set() | frozenset():
            readable = [_readable(one, depth + 1) for one in value]
        case _:
            readable = _readable(str(_shown(value)), depth)
    return readable
