"""What an application answers to: every method and path template, routers within routers included."""

from fastapi.routing import iter_route_contexts

from talentseal.app import Application


def routes_of(app: Application) -> list[tuple[str, str]]:
    """(method, path template) of every route, in order."""
    return [
        (method, context.path)
        for context in iter_route_contexts(app.routes)
        if context.path is not None
        for method in sorted(context.methods or ())
    ]
