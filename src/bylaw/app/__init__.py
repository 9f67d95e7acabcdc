"""The only place where parts meet: `build(settings)` makes a running server of them."""

from bylaw.app.server import App, Unserved, build, join, unserved

__all__ = ["App", "Unserved", "build", "join", "unserved"]
