"""A tree of path segments that narrows an application's routes to the few that may match a path; routing.py uses it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from re import Match, Pattern
from typing import Any

from fastapi.routing import APIRoute
from starlette.convertors import Convertor, FloatConvertor, IntegerConvertor, StringConvertor, UUIDConvertor
from starlette.types import ASGIApp

_WITHIN_A_SEGMENT = (StringConvertor, IntegerConvertor, FloatConvertor, UUIDConvertor)
"""Convertors of path parameters that never match a slash."""
_SEPARATOR = "/"


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A route as the index knows it: how it is matched, what the request is told of it, and what answers."""

    pattern: Pattern[str]
    convertors: dict[str, Convertor[Any]]
    methods: set[str] | None
    """None for a route that takes every method."""
    template: str
    endpoint: Any
    handle: ASGIApp
    route: APIRoute | None
    """What becomes `scope["route"]`."""
    included: dict[str, Any] | None = None
    """What the framework notes in the scope of a route that came with an included router."""


@dataclass(slots=True)
class _Node:
    literals: dict[str, _Node] = field(default_factory=dict)
    variable: _Node | None = None
    ending: list[tuple[int, Entry]] = field(default_factory=list)
    """Routes that end here, each with its place in the order of all."""
    spanning: list[tuple[int, Entry]] = field(default_factory=list)
    """Routes whose next parameter may match slashes, so that they may end anywhere below."""


class RouteTree:
    """Finds the route that a search through all of them, in their order, would find."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        """The order of the entries counts: the first that matches wins."""
        self._root = _Node()
        for place, entry in enumerate(entries):
            _plant(self._root, place, entry)

    def find(self, method: str, path: str) -> tuple[Entry, Match[str]] | None:
        """The first route for path and method; else the first for the path, which will answer 405; else None."""
        candidates = self._candidates(path)
        for _, entry in candidates:
            if (not entry.methods or method in entry.methods) and (match := entry.pattern.match(path)):
                return entry, match
        for _, entry in candidates:
            if match := entry.pattern.match(path):
                return entry, match
        return None

    def _candidates(self, path: str) -> list[tuple[int, Entry]]:
        """Routes whose literal segments fit, in their order; their patterns decide."""
        nodes = [self._root]
        candidates: list[tuple[int, Entry]] = []
        # A pattern's `$` also matches before a line feed that ends the path.
        for segment in path.removesuffix("\n").split(_SEPARATOR):
            following = []
            for node in nodes:
                if node.spanning:
                    candidates += node.spanning
                if segment in node.literals:
                    following.append(node.literals[segment])
                if node.variable is not None:
                    following.append(node.variable)
            nodes = following
            if not nodes:
                break
        for node in nodes:
            candidates += node.ending
        if len(candidates) > 1:
            candidates.sort(key=_place)
        return candidates


def _place(candidate: tuple[int, Entry]) -> int:
    return candidate[0]


def _plant(node: _Node, place: int, entry: Entry) -> None:
    for segment in entry.template.split(_SEPARATOR):
        names = [name for name in entry.convertors if f"{{{name}}}" in segment]
        if not all(isinstance(entry.convertors[name], _WITHIN_A_SEGMENT) for name in names):
            node.spanning.append((place, entry))
            return
        if not names:
            node = node.literals.setdefault(segment, _Node())
            continue
        if node.variable is None:
            node.variable = _Node()
        node = node.variable
    node.ending.append((place, entry))
