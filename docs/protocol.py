"""The table of operations in protocol.md: which of the contract's are served."""

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
    """The document, with every operation it lists marked as spoken or not.

    The list itself is the contract's and stays as it is. Raises ValueError for a served operation that is not in it.
    """
    listed = [(row["method"], row["path"]) for row in _ROW.finditer(text)]
    spoken = {_shape(operation) for operation in served()}
    beyond = spoken - {_shape(operation) for operation in listed}
    if beyond:
        message = f"served, and not in docs/protocol.md: {sorted(beyond)}"
        raise ValueError(message)
    return replace_between(text, "operations", _table(listed, spoken))


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
