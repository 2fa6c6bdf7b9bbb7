"""Where a request was wrong, without a word that the caller chose: only names that models and routes declare."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final

from pydantic import BaseModel

_MOST_READ: Final = 100
_MOST_SHOWN: Final = 20
_UNKNOWN: Final = "*"
_PARAMETERS: Final = frozenset({"path", "query", "header", "cookie"})
_SOURCES: Final = _PARAMETERS | {"body", "form"}

_declared: set[str] = set()
_walked: set[type[BaseModel]] = set()


def shown_locations(locations: Iterable[Sequence[str | int]]) -> list[str]:
    """Each place once, at most 20, such as `body.state.type`; an index is `[]`, a key that the caller chose is `*`."""
    read = list(islice(locations, _MOST_READ))
    if any(isinstance(part, str) and part not in _declared for location in read for part in location):
        _walk(BaseModel)
    shown = dict.fromkeys(".".join(_shown(location)) for location in read)
    return list(shown)[:_MOST_SHOWN]


def _shown(location: Sequence[str | int]) -> Iterable[str]:
    for index, part in enumerate(location):
        if isinstance(part, int):
            yield "[]"
        elif (index == 0 and part in _SOURCES) or (index == 1 and location[0] in _PARAMETERS) or part in _declared:
            yield part
        else:
            yield _UNKNOWN


def _walk(model: type[BaseModel]) -> None:
    for child in model.__subclasses__():
        if child not in _walked:
            _walked.add(child)
            _declared.update(child.model_fields)
            _declared.update(field.alias for field in child.model_fields.values() if field.alias)
        _walk(child)
