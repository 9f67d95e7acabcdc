"""Commands that are loaded when they are called: `bylaw verify` starts without the whole server."""

import importlib
from collections.abc import Mapping
from typing import cast

import click
from typing_extensions import override


class LazyGroup(click.Group):
    """A group that loads some commands on call; `lazy` has their names and places (`module:name`)."""

    def __init__(self, *args: object, lazy: Mapping[str, str], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # passed on as click gives them
        self._lazy = lazy

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *self._lazy})

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._lazy:
            return super().get_command(ctx, cmd_name)
        module, _, name = self._lazy[cmd_name].partition(":")
        return cast("click.Command", getattr(importlib.import_module(module), name))
