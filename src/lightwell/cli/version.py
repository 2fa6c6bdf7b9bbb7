"""`lightwell version`: what is installed, and what it tells clients."""

import platform

import typer

from lightwell import __version__
from lightwell.contract.versions import API_VERSION, SERVER_VERSION

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def version() -> None:
    """Show the versions of the server, of its API and of Python."""
    typer.echo(f"Lightwell {__version__}")
    typer.echo(f"API       {API_VERSION} (prefect {SERVER_VERSION})")
    typer.echo(f"Python    {platform.python_version()}")
