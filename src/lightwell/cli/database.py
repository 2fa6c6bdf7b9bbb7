"""`lightwell database`: the schema's revisions, and what is stored."""

from typing import Annotated

import typer

from lightwell.cli.failures import fail, told_plainly
from lightwell.cli.reach import read_once, require, sqlalchemy_url, where
from lightwell.settings import Settings, load
from lightwell.storage.migrations import chain
from lightwell.storage.statistics import measure

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True, help="Look after the database.")

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

_THOUSAND = 1000


@app.command()
@told_plainly
def upgrade(
    revision: Annotated[str, typer.Option(help="The revision to go up to.")] = "head",
) -> None:
    """Bring the schema up to date; the server does it at its start unless told not to."""
    settings = _reachable()
    before = chain.current(sqlalchemy_url(settings))
    chain.upgrade(sqlalchemy_url(settings), revision)
    _report(settings, before)


@app.command(context_settings={"ignore_unknown_options": True})  # -1 is a revision
@told_plainly
def downgrade(
    revision: Annotated[str, typer.Argument(help="The revision to go down to; -1 is one step, base is no table.")],
    yes: Yes = False,
) -> None:
    """Take the schema down to an older revision; what only newer ones can hold is lost."""
    settings = _reachable()
    _confirm(f"Take {where(settings)} down to revision {revision}? Data may be lost.", yes=yes)
    before = chain.current(sqlalchemy_url(settings))
    chain.downgrade(sqlalchemy_url(settings), revision)
    _report(settings, before)


@app.command()
@told_plainly
def reset(yes: Yes = False) -> None:
    """Delete everything that is stored, and make empty tables."""
    settings = _reachable()
    _confirm(f"Delete everything in {where(settings)}?", yes=yes)
    chain.downgrade(sqlalchemy_url(settings))
    chain.upgrade(sqlalchemy_url(settings))
    typer.echo(f"{where(settings)} is empty, at revision {chain.head()}")


@app.command()
@told_plainly
def stats() -> None:
    """Show the revision, the size and the number of rows of each table."""
    settings = _reachable()
    revision = chain.current(sqlalchemy_url(settings))
    typer.echo(f"Database  {where(settings)}")
    typer.echo(
        f"Revision  {revision or 'none'}{'' if revision == chain.head() else f' (this version has {chain.head()})'}"
    )
    if revision != chain.head():
        fail(f"This version has revision {chain.head()}; `lightwell database upgrade` brings the schema there")
    statistics = read_once(settings, measure)
    typer.echo(f"Size      {_size(statistics.size)}")
    width = max(map(len, statistics.rows), default=0)
    for table, rows in statistics.rows.items():
        typer.echo(f"  {table:<{width}}  {rows:>12,}")


def _reachable() -> Settings:
    settings = load()
    require(settings)
    return settings


def _confirm(question: str, *, yes: bool) -> None:
    if not yes and not typer.confirm(question):
        fail("nothing was done")


def _report(settings: Settings, before: str | None) -> None:
    after = chain.current(sqlalchemy_url(settings))
    change = (
        f"was at {after or 'none'} already" if before == after else f"went from {before or 'none'} to {after or 'none'}"
    )
    typer.echo(f"{where(settings)} {change}")


def _size(size: float) -> str:
    for unit in ("B", "kB", "MB"):
        if size < _THOUSAND:
            return f"{size:.4g} {unit}"
        size /= _THOUSAND
    return f"{size:.4g} GB"
