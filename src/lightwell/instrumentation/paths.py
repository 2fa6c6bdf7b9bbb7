"""The path of a request as telemetry may hold it: what the caller wrote freely in it is left out, ids stay."""

import re
from typing import Final

from starlette.types import Scope

_ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_WORD: Final = re.compile(r"(?=.{1,40}\Z)(?:[a-z]+(?:[-_.][a-z]+)*|v\d{1,2})", re.ASCII)
_PARAMETER: Final = re.compile(r"\{(\w+)\}")
_LEFT_OUT: Final = "*"
_MOST_PARTS: Final = 12
_SUBJECT: Final = re.compile(r"/(flow|task)_runs/\{id\}")


def shown_path(scope: Scope, route: str | None) -> str:
    """The route's template with the ids that were asked for; its other parameters (keys, names) stay `{name}`.

    Where no route matched nothing says which part is what, so only ids and plain words of small letters are shown: a
    key that was put into a wrong address is no plain word.
    """
    if route is None:
        parts = scope["path"].split("/", _MOST_PARTS + 1)
        shown = [part if _is_plain(part) else _LEFT_OUT for part in parts[: _MOST_PARTS + 1]]
        return "/".join([*shown, _LEFT_OUT] if len(parts) > _MOST_PARTS + 1 else shown)
    values = scope.get("path_params", {})

    def filled(match: re.Match[str]) -> str:
        value = str(values.get(match[1], ""))
        return value if _ID.fullmatch(value) else match[0]

    return _PARAMETER.sub(filled, route)


def subject_of(scope: Scope, route: str | None) -> dict[str, str]:
    """The run that a request is about by its address, as what `annotate` would have been told."""
    match = _SUBJECT.search(route) if route is not None else None
    value = str(scope.get("path_params", {}).get("id", "")) if match is not None else ""
    return {f"{match[1]}_run_id": value} if match is not None and _ID.fullmatch(value) else {}


def _is_plain(part: str) -> bool:
    return not part or _WORD.fullmatch(part) is not None or _ID.fullmatch(part) is not None
