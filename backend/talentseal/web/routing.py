"""Which routes a request can mean at all, by how its path begins.

There are hundreds of routes, and FastAPI asks each of them in turn, at every level of included routers anew:
for a late one that took longer than all else that the event loop does for a request.
"""

from fastapi import APIRouter
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Scope


class Beginning(APIRouter):
    """The routes of one feature under a prefix, asked only when the path begins as one of theirs does.

    prefix: what it is included under, such as "/api/v1", or "". The feature's routes are complete by now.
    Raises ValueError for a route that begins with a parameter, which any path might mean, or has no path.
    """

    def __init__(self, router: APIRouter, prefix: str) -> None:
        super().__init__()
        self._prefix = f"{prefix}/"
        self._beginnings = frozenset(_first(route) for route in router.routes)
        self.include_router(router)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        path: str = scope["path"].removeprefix(scope.get("root_path", ""))
        if not path.startswith(self._prefix) or self._after_prefix(path) not in self._beginnings:
            return Match.NONE, {}
        return super().matches(scope)

    def _after_prefix(self, path: str) -> str:
        return path[len(self._prefix) :].partition("/")[0]


def _first(route: BaseRoute) -> str:
    """The first part of a route's path, which has to be a word."""
    path = route.path if isinstance(route, Route) else ""
    first = path.removeprefix("/").partition("/")[0]
    if not path.startswith("/") or first.startswith("{"):
        raise ValueError(
            f"expected a route whose path begins with a word, met {path or type(route).__name__}"
        )
    return first
