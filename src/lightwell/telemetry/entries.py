"""What of a trace can be searched: an entry for each local root, and for each failure that came without its root."""

import zlib
from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from uuid import UUID

from lightwell.instrumentation import vocabulary as names
from lightwell.telemetry.frames import top_frame
from lightwell.telemetry.packing import ERROR, KINDS, Packed, Piece, readable

MOST_ENTRIES: Final = 1000
"""Of one piece."""

_CALLS: Final = frozenset({"client", "producer"})
_MOST_RUNS: Final = 200
_MESSAGE_LENGTH: Final = 500
_NAME_LENGTH: Final = 300
_LEAST_FAILING: Final = 500
_CLIENT_RUN: Final = "prefect.run.id"
_CLIENT_RUN_TYPE: Final = "prefect.run.type"


class Failure(NamedTuple):
    """What went wrong in a local root; `group` is the same for the same route, type and frame."""

    kind: str | None
    message: str | None
    frame: str | None
    group: int


_NO_FAILURE: Final = (None, None, None, None)

Row = tuple[
    int,  # started
    int,  # took
    bytes,  # span_id
    str,  # name
    str | None,  # route
    int | None,  # status
    int,  # failed
    str | None,  # reason
    str | None,  # exception_type
    str | None,  # exception_message
    str | None,  # frame
    int | None,  # failure
    str | None,  # service
]
"""An entry, in the order of the table's columns, without its number."""


def entries_of(piece: Piece) -> list[Row]:
    """The entries of a piece; of a client's spans also for what failed inside of a root that went well, such as a task.

    A failed call (a span of kind `client`) is none of its own: who called says whether that was a failure.
    """
    roots = [span for span in piece.spans if span[11]]
    if not (piece.is_own and roots):
        failed = [span for span in piece.spans if span[6] == ERROR and not span[11]]
        roots += [span for span in failed if KINDS[span[3]] not in _CALLS] or (failed if piece.is_own else [])
    return [_entry(piece, root) for root in roots[:MOST_ENTRIES]]


def runs_of(piece: Piece) -> set[bytes]:
    """The ids of the flow runs that a piece has to do with."""
    runs: set[bytes] = set()
    for span in piece.spans[:1] if piece.is_own else piece.spans:
        attributes = span[8]
        run = attributes.get(names.FLOW_RUN)
        if run is not None:
            _add(runs, run)
        several = attributes.get(names.FLOW_RUNS)
        if isinstance(several, list | tuple):
            for one in several[:_MOST_RUNS]:
                _add(runs, one)
        if attributes.get(_CLIENT_RUN_TYPE) == "flow":
            _add(runs, attributes.get(_CLIENT_RUN))
        if len(runs) >= _MOST_RUNS:
            break
    return runs


def _add(runs: set[bytes], run: object) -> None:
    try:
        runs.add(UUID(str(run)).bytes)
    except ValueError:
        return


def _entry(piece: Piece, root: Packed) -> Row:
    span_id, _, name, _, started, ended, status, _, attributes, _, _, _ = root
    route = _text(attributes.get(names.HTTP_ROUTE), _NAME_LENGTH)
    code = attributes.get(names.HTTP_STATUS)
    code = code if isinstance(code, int) and 0 <= code < 1000 else None  # noqa: PLR2004 -- what a status can be
    is_failed = status == ERROR or (root[3] == 1 and code is not None and code >= _LEAST_FAILING)
    shown = readable(name[:_NAME_LENGTH])
    failure = _failure(piece, root, route or _place(root) or shown) if is_failed else None
    return (
        started,
        max(0, ended - started),
        span_id.to_bytes(8, "big"),
        shown,
        route,
        code,
        int(is_failed),
        _text(attributes.get(names.KEPT), _NAME_LENGTH),
        *(_NO_FAILURE if failure is None else failure),
        _text(piece.service, _NAME_LENGTH),
    )


def _failure(piece: Piece, root: Packed, place: str) -> Failure:
    told = _exception_of(root)
    if told is None:
        failed = [span for span in piece.spans if span[6] == ERROR and not span[11]] if _is_alone(piece) else []
        told = next((found for span in failed if (found := _exception_of(span)) is not None), {})
    kind = _text(told.get("exception.type") or root[8].get(names.ERROR_TYPE), _NAME_LENGTH)
    stack = told.get("exception.stacktrace")
    frame = _text(top_frame(stack) if isinstance(stack, str) else None, _NAME_LENGTH)
    message = _text(told.get("exception.message") or root[7] or None, _MESSAGE_LENGTH)
    return Failure(kind, message, frame, _group(place, kind, frame))


def _place(root: Packed) -> str | None:
    """For a client's run what it is: each has a name of its own, so failures of a flow would never be grouped."""
    kind = root[8].get(_CLIENT_RUN_TYPE)
    return None if kind is None else f"prefect {kind} run"


def _is_alone(piece: Piece) -> bool:
    """Whether there is one root, so that what failed is its failure."""
    return sum(1 for span in piece.spans if span[11]) == 1


def _exception_of(span: Packed) -> Mapping[str, Any] | None:
    """The attributes of the last exception on a span."""
    return next((event[2] for event in reversed(span[9]) if event[1] == names.EXCEPTION_EVENT.name), None)


def _group(place: str, kind: str | None, frame: str | None) -> int:
    """The same number for the same three, in every process and for ever."""
    text = f"{place}\n{kind}\n{frame}".encode()
    return zlib.crc32(text) << 31 | zlib.crc32(text[::-1]) >> 1


def _text(value: object, most: int) -> str | None:
    return None if value is None else readable(str(value)[:most])
