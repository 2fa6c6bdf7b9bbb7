"""Finds the route of a request by an index, in front of the framework's router, which tries one route after another.

The framework stays the judge: the index finds what the framework would find (route_tree.py), and leaves to it whatever
it does not know: mounts, hosts, websockets, static front ends, routes that match in their own way.
"""

from __future__ import annotations

from collections.abc import Iterator
from re import Match

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute, APIWebSocketRoute, _EffectiveRouteContext, _IncludedRouter
from starlette import routing as starlette
from starlette._utils import get_route_path
from starlette.datastructures import URL
from starlette.responses import RedirectResponse
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from lightwell.api.route_tree import Entry, RouteTree
from lightwell.instrumentation.vocabulary import ROUTE_KEY

_FRAMEWORK_KEY = "fastapi"
"""Where the framework keeps its own notes in the scope."""


def install_route_index(app: FastAPI) -> None:
    """Put an index in front of the application's router; ValueError when the router has middleware or an index already.

    Routes may be added, changed and removed at any time: the index is made at the first request, unless it was prepared
    before, and again after a change. Beside all that the framework sets, `scope["lightwell.route"]` becomes the full
    template of the route.
    """
    if app.router.middleware_stack != app.router.app:
        raise ValueError("The router already has middleware of its own, or an index")
    app.router.middleware_stack = RouteIndex(app.router)


def prepare_route_index(app: FastAPI) -> None:
    """Make the application's index now, if it has one: else the first request waits for it."""
    index = app.router.middleware_stack
    if isinstance(index, RouteIndex):
        index.prepare()


class RouteIndex:
    """An ASGI application that does what the router's own does, at a cost that does not grow with the routes."""

    def __init__(self, router: APIRouter) -> None:
        """Stand in front of `router`."""
        self._router = router
        self._tree = RouteTree(())
        self._unknown: list[BaseRoute] = []
        self._routers: list[APIRouter] = []
        self._read_versions: list[int] = []
        self._read_routes: list[list[BaseRoute]] = []

    def prepare(self) -> None:
        """Read the routes, and have the framework work out those that it has not looked at yet."""
        self._refresh()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request to its route, or answer as the framework does when it has none."""
        handle = self._router.app if scope["type"] != "http" else self.select(scope)
        await (handle or self._miss)(scope, receive, send)

    def select(self, scope: Scope) -> ASGIApp | None:
        """What answers an HTTP request, which is told so in its scope; None when no route fits its path."""
        self._refresh()
        if self._for_the_framework(scope):
            return self._router.app
        scope.setdefault("router", self._router)
        found = self._tree.find(scope["method"], get_route_path(scope))
        if found is None:
            return None
        _tell(scope, *found)
        return found[0].handle

    async def _miss(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = get_route_path(scope)
        if self._router.redirect_slashes and path != "/":
            other = {**scope, "path": scope["path"].rstrip("/") if path.endswith("/") else scope["path"] + "/"}
            found = self._tree.find(scope["method"], get_route_path(other))
            if found is not None:
                scope[ROUTE_KEY] = _template(scope, found[0])
                await RedirectResponse(url=str(URL(scope=other)))(scope, receive, send)
                return
            if self._for_the_framework(other):
                await self._router.app(scope, receive, send)
                return
        if any(self._router._iter_low_priority_routes()):  # noqa: SLF001 - FastAPI is pinned for this module's sake
            await self._router.app(scope, receive, send)
            return
        await self._router.default(scope, receive, send)

    def _for_the_framework(self, scope: Scope) -> bool:
        """Whether a route that the index does not know may be the one."""
        return bool(self._unknown) and any(
            route.matches(scope)[0] is not starlette.Match.NONE for route in self._unknown
        )

    def _refresh(self) -> None:
        """Read the routes (again) when any list of them has changed."""
        routers = self._routers
        versions = [router._routes_version for router in routers]  # noqa: SLF001 - as above
        # Lists compare their members by identity first, so this is quick while nothing has changed.
        if not routers or versions != self._read_versions or [router.routes for router in routers] != self._read_routes:
            self._read()

    def _read(self) -> None:
        self._unknown, self._routers = [], list(_routers(self._router))
        entries: list[Entry] = []
        for route in self._router.routes:
            known = None if self._router.form_limits else _entries(route)
            if known is None:
                self._unknown.append(route)
            else:
                entries += known
        self._tree = RouteTree(entries)
        self._read_versions = [router._routes_version for router in self._routers]  # noqa: SLF001 - as above
        self._read_routes = [list(router.routes) for router in self._routers]


def _tell(scope: Scope, entry: Entry, match: Match[str]) -> None:
    """Set in the scope what the framework sets for its choice."""
    convertors = entry.convertors
    found = {name: convertors[name].convert(value) for name, value in match.groupdict().items()}
    scope["path_params"] = {**scope.get("path_params", {}), **found}
    scope["endpoint"] = entry.endpoint
    scope[ROUTE_KEY] = _template(scope, entry)
    if entry.route is not None:
        scope["route"] = entry.route
    if entry.included is not None:
        scope.setdefault(_FRAMEWORK_KEY, {}).update(entry.included)


def _template(scope: Scope, entry: Entry) -> str:
    return f"{scope.get('root_path', '')}{entry.template}"


def _routers(router: APIRouter) -> Iterator[APIRouter]:
    yield router
    for route in router.routes:
        if isinstance(route, _IncludedRouter):
            yield from _routers(route.original_router)


def _entries(route: BaseRoute) -> list[Entry] | None:
    """What the index has to know of a route or an included router; None when that is not all there is to know."""
    if isinstance(route, _IncludedRouter):
        return _included_entries(route)
    matches = type(route).matches
    if matches in {WebSocketRoute.matches, APIWebSocketRoute.matches}:
        return []
    if not isinstance(route, Route) or matches not in {Route.matches, APIRoute.matches}:
        return None
    return [_entry(route, route)]


def _included_entries(branch: _IncludedRouter) -> list[Entry] | None:
    if branch.include_context.form_limits:
        return None
    entries: list[Entry] = []
    for candidate in branch.effective_candidates():
        more: list[Entry] | None
        if isinstance(candidate, _IncludedRouter):
            more = _included_entries(candidate)
        else:
            more = _context_entries(branch, candidate)
        if more is None:
            return None
        entries += more
    return entries


def _context_entries(branch: _IncludedRouter, context: _EffectiveRouteContext) -> list[Entry] | None:
    route = context.original_route
    matches = type(route).matches
    if matches in {WebSocketRoute.matches, APIWebSocketRoute.matches}:
        return []
    if not isinstance(route, APIRoute) or matches is not APIRoute.matches:
        return None
    included = {"included_router": branch, "effective_route_context": context}
    return [_entry(context, route, included)]


def _entry(effective: Route | _EffectiveRouteContext, route: Route, included: dict[str, object] | None = None) -> Entry:
    return Entry(
        pattern=effective.path_regex,
        convertors=effective.param_convertors,
        methods=effective.methods,
        template=effective.path_format,
        endpoint=effective.endpoint,
        handle=route.handle,
        route=route if isinstance(route, APIRoute) else None,
        included=included,
    )
