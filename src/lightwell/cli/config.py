"""`lightwell config`: the settings in force, and where each of them comes from."""

import json
import os
from typing import Annotated

import typer

from lightwell.cli.failures import told_plainly
from lightwell.settings import Settings, load
from lightwell.settings.environment import variable_of
from lightwell.settings.names import Name, names_in, write
from lightwell.settings.values import without_password

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
@told_plainly
def config(
    changed: Annotated[bool, typer.Option("--changed", help="Only what is not the default.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")] = False,
) -> None:
    """Show every setting: its variable, its value (secrets are masked) and where the value comes from."""
    settings = load()
    rows = [
        (name.variable, shown(name, settings), variable_of(name, os.environ) or "default")
        for name in names_in(Settings)
    ]
    if changed:
        rows = [row for row in rows if row[2] != "default"]
    if as_json:
        typer.echo(
            json.dumps({variable: {"value": value, "from": source} for variable, value, source in rows}, indent=2)
        )
        return
    widths = [max((len(row[column]) for row in rows), default=0) for column in (0, 1)]
    for variable, value, source in rows:
        typer.echo(f"{variable:<{widths[0]}}  {value:<{widths[1]}}  {source}")


def shown(name: Name, settings: Settings) -> str:
    """A setting's value as it may be shown: a password in a URL, or a whole secret, is masked."""
    value = name.value_in(settings)
    if name.path == ("database", "url"):
        return without_password(settings.database_url)
    return "****" if name.secret and value is not None else write(value)
