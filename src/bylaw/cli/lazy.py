"""What is loaded when it is called: help starts without any command, a client without the server."""

import gc
import importlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple, cast

import click
from typing_extensions import override


class Lazy(NamedTuple):
    """A command that is loaded on call: where it is (`module:name`), and its line in the list."""

    place: str
    says: str


def load(place: str) -> object:
    """Return what `place` (`module:name`) names, loading its module only now.

    What is loaded stays, so nobody looks for garbage in it, now or later: a quarter of the time.
    """
    module, _, name = place.partition(":")
    gc.disable()
    try:
        found: object = getattr(importlib.import_module(module), name)
    finally:
        gc.freeze()
        gc.enable()
    return found


NONE: Final[Mapping[str, Lazy]] = MappingProxyType({})
LONGEST: Final = 200


class LazyGroup(click.Group):
    """A group that lists commands in whole sentences, and loads those in `lazy` when they are called."""

    def __init__(self, *args: object, lazy: Mapping[str, Lazy] = NONE, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # passed on as click gives them
        self._lazy = lazy

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *self._lazy})

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._lazy:
            return super().get_command(ctx, cmd_name)
        return cast("click.Command", load(self._lazy[cmd_name].place))

    @override
    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as error:  # click suggests only what is loaded
            known = self.list_commands(ctx)
            raise click.NoSuchCommand(error.command_name, possibilities=known, ctx=ctx) from None

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        loaded = {name: command.get_short_help_str(LONGEST) for name, command in self.commands.items()}
        says = {**loaded, **{name: lazy.says for name, lazy in self._lazy.items()}}
        with formatter.section("Commands"):
            formatter.write_dl(sorted(says.items()))
