"""Finding a request's route by the segments of its path, however many routes there are."""

from collections.abc import Iterable, Iterator

from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send


class _Node:
    """The routes that end at one segment, and the segments that may follow it."""

    __slots__ = ("named", "routes", "variable")

    def __init__(self) -> None:
        self.named: dict[str, _Node] = {}
        self.variable: _Node | None = None
        self.routes: list[Route] = []


class Dispatch:
    """ASGI: hands a request to the route of its path; fixed segments come before variable ones.

    What has no route of one template (lifespan, mounts) goes to `otherwise`, the framework's own router.
    """

    def __init__(self, routes: Iterable[BaseRoute], otherwise: ASGIApp) -> None:
        self._root = _Node()
        self._fixed: set[str] = set()
        self._otherwise = otherwise
        self._routed = AsyncExitStackMiddleware(self._route)
        for route in routes:
            if not isinstance(route, Route) or ":path}" in route.path:
                raise TypeError(f"{route} has no path of fixed length; give it to the application itself")
            node = self._root
            for segment in route.path.split("/"):
                if "{" in segment:
                    node.variable = node.variable or _Node()
                    node = node.variable
                else:
                    node = node.named.setdefault(segment, _Node())
            node.routes.append(route)
            if "{" not in route.path:
                self._fixed.add(route.path)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            await self._routed(scope, receive, send)
        else:
            await self._otherwise(scope, receive, send)

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        methods: set[str] = set()
        for route in _reached(self._root, scope["path"].split("/"), 0):
            if methods and route.path != scope["path"] and scope["path"] in self._fixed:
                break  # a path that is fixed as a whole is no value of a variable one, whatever the method
            match, found = route.matches(scope)
            if match is Match.FULL:
                scope.update(found)
                scope["route"] = route
                await route.handle(scope, receive, send)
                return
            if match is Match.PARTIAL:
                methods |= route.methods or set()
        if methods:
            allowed = methods | ({"HEAD"} if "GET" in methods else set())
            raise HTTPException(405, headers={"Allow": ", ".join(sorted(allowed))})
        raise HTTPException(404)


def _reached(node: _Node, segments: list[str], at: int) -> Iterator[Route]:
    if at == len(segments):
        yield from node.routes
        return
    named = node.named.get(segments[at])
    if named is not None:
        yield from _reached(named, segments, at + 1)
    if node.variable is not None:
        yield from _reached(node.variable, segments, at + 1)
