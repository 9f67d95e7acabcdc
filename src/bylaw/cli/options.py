"""Options that several commands have, and a command that takes them beside its own."""

from collections.abc import Callable, Mapping
from typing import ClassVar

import click
from typing_extensions import override

json_option = click.option("--json", "as_json", is_flag=True, help="Write the result as JSON.")


def server_option(says: str = "The server.") -> click.Option:
    """Return the option that names a running server."""
    return click.Option(
        ["--server"], envvar="BYLAW_URL", default="http://127.0.0.1:8181", show_default=True, help=says
    )


class SharingCommand(click.Command):
    """A command that also takes the options in `shared`, and passes on what `read` makes of them."""

    shared: ClassVar[Mapping[str, click.Option]]
    read: ClassVar[Callable[..., object]]

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # passed on as click gives them
        self.params.extend(self.shared.values())

    @override
    def invoke(self, ctx: click.Context) -> object:
        ctx.obj = self.read(**{name: ctx.params.pop(name) for name in self.shared})
        return super().invoke(ctx)
