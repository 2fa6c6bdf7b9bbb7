"""The contents page of the command line."""

import gc
from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperGroup

from lightwell.kit.absent import absent

# Why by name: what `serve` needs takes half a second to import, and neither `version` nor `--help` waits for it.
COMMANDS: Final = {
    "serve": "Start the server.",
    "database": "Look after the database.",
    "explain": "Say why a flow run is late, pending, waiting or failed.",
    "traces": "Look at what a running server has seen.",
    "config": "Show every setting and where it comes from.",
    "version": "Show what is installed.",
}
"""Each command, which is the module of this package with its name, and what it is for."""


class _Commands(TyperGroup):
    def list_commands(self, ctx: Any) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        # structlog would take it for stacks, which are written otherwise here: 6 MB.
        with absent("rich"):
            command = typer.main.get_command(import_module(f"lightwell.cli.{cmd_name}").app)
        command.name = cmd_name
        return command

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


app = typer.Typer(
    name="lightwell",
    cls=_Commands,
    help="An orchestration server you can see into.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


@app.callback()
def _lightwell() -> None:
    """An orchestration server you can see into."""


def main() -> None:
    """Run the command that the arguments name, and exit: 0 done, 1 it could not be done, 2 it was asked wrongly."""
    # What is imported is never garbage, and looking for it is a fifth of a start; `serve` turns it on when it is up.
    gc.disable()
    typer.main.get_command(app)()
