"""The tables of operations in protocol.md: which of the contract's are served, and which are served beside them."""

import re
from collections import Counter
from collections.abc import Iterable

from docs.sections import replace_between
from lightwell.server import create_orion_api

Operation = tuple[str, str]
"""Method in capitals, and path."""

_ROW = re.compile(r"^\| `(?P<method>[A-Z]+) (?P<path>/[^`]*)` \|", re.MULTILINE)
_METHODS = ("get", "post", "put", "patch", "delete")


def with_operations(text: str) -> str:
    """The document, with every operation of the contract marked as spoken or not.

    The list itself is the contract's and stays as it is; what is served beside it is listed by hand. Raises ValueError
    for an operation that is served and in neither list, and for one of the second that is not served.
    """
    listed, own = _operations(text)
    spoken = {_shape(operation) for operation in served()}
    beside = {_shape(operation) for operation in own}
    strange = (spoken - {_shape(operation) for operation in listed}) ^ beside
    if strange:
        message = f"served or in docs/protocol.md, and not both: {sorted(strange)}"
        raise ValueError(message)
    return replace_between(text, "operations", _table(listed, spoken))


def spoken_operations(text: str) -> int:
    """How many operations of the contract are served, by the document."""
    listed, _ = _operations(text)
    return len({_shape(operation) for operation in listed} & {_shape(operation) for operation in served()})


def _operations(text: str) -> tuple[list[Operation], list[Operation]]:
    """Those of the contract, and those of our own."""
    beside, heading, contract = text.partition("\n## Operations\n")
    if not heading:
        message = "docs/protocol.md lacks the heading of the contract's operations"
        raise ValueError(message)
    return _rows(contract), _rows(beside)


def _rows(text: str) -> list[Operation]:
    return [(row["method"], row["path"]) for row in _ROW.finditer(text)]


def served() -> Iterable[Operation]:
    """The operations of the API's OpenAPI document."""
    for path, methods in create_orion_api().openapi()["paths"].items():
        yield from ((method.upper(), path) for method in methods if method in _METHODS)


def _table(listed: list[Operation], spoken: set[Operation]) -> str:
    groups: dict[str, list[Operation]] = {}
    for method, path in listed:
        groups.setdefault(_group(path), []).append((method, path))
    counts = Counter(_group(path) for method, path in listed if _shape((method, path)) in spoken)
    lines = [f"{counts.total()} of {len(listed)} operations are spoken.", ""]
    for group, operations in groups.items():
        lines += [f"### {group} ({counts[group]} of {len(operations)})", "", "| operation | spoken |", "|---|---|"]
        lines += [f"| `{m} {path}` | {'yes' if _shape((m, path)) in spoken else 'no'} |" for m, path in operations]
        lines.append("")
    return "\n".join(lines)


def _group(path: str) -> str:
    parts = path.strip("/").split("/")
    return "/" + "/".join(parts[: 2 if parts[0] in {"ui", "v2"} else 1])


def _shape(operation: Operation) -> Operation:
    method, path = operation
    return method, re.sub(r"\{[^}]*\}", "{}", path)
