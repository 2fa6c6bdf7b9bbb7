"""`lightwell explain`: why a flow run is where it is, and how it came there."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from textwrap import wrap
from typing import Annotated, Any, Final
from uuid import UUID

import typer

from lightwell.cli.failures import ASKED_WRONGLY, fail, told_plainly
from lightwell.cli.moments import length
from lightwell.cli.remote import Remote, Url, remote
from lightwell.cli.terminal import plain
from lightwell.errors import NotFound
from lightwell.orchestration.explanations.words import clock

app = typer.Typer(add_completion=False, rich_markup_mode=None)

_MOST_NAMESAKES: Final = 20
_WIDTH: Final = 110
_STATE_WIDTH: Final = 32
_HINT: Final = "`lightwell traces show TRACE` shows what the server did in a trace, where it was kept."

_Json = Mapping[str, Any]


@app.command()
@told_plainly
def explain(
    run: Annotated[str, typer.Argument(help="The flow run's id, or its name.", metavar="RUN")],
    url: Url = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the API's answer as it is.")] = False,
) -> None:
    """Say why a flow run is late, pending, waiting or failed, from what the server knows."""
    server = remote(url)
    found = server.get(f"/flow_runs/{_identity(server, run)}/explain")
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    for line in _lines(found):
        typer.echo(line)


def _identity(server: Remote, run: str) -> str:
    try:
        return str(UUID(run))
    except ValueError:
        pass
    body = {"flow_runs": {"name": {"any_": [run]}}, "sort": "EXPECTED_START_TIME_DESC"}
    namesakes = server.post("/flow_runs/filter", body)
    if not namesakes:
        raise NotFound("flow_run", f"{server.api_url} has no flow run that is called {run}")
    if len(namesakes) > 1:
        rows = [
            f"  {one['id']}  {_instant(one['expected_start_time'] or one['created'])}  {plain(one['state_name'])}"
            for one in namesakes[:_MOST_NAMESAKES]
        ]
        head = f"{len(namesakes)} flow runs are called {run}; say which, the newest first:"
        fail("\n".join([head, *rows]), ASKED_WRONGLY)
    return str(namesakes[0]["id"])


def _lines(found: _Json) -> Iterator[str]:
    yield plain(found["headline"])
    deployment = f"  deployment {plain(found['deployment_name'])}" if found["deployment_name"] else ""
    yield f"  flow run {found['flow_run_id']}  flow {plain(found['flow_name'])}{deployment}"
    yield ""
    yield f"Why (as of {_instant(found['now'])})"
    for reason in found["reasons"]:
        yield f"  {reason['code']}  {reason['certainty'].lower()}" + (
            f"  since {_instant(reason['since'])}" if reason["since"] else ""
        )
        yield from wrap(plain(reason["text"]), _WIDTH, initial_indent="    ", subsequent_indent="    ")
        yield from (f"      {_evidence(one)}" for one in reason["evidence"])
    yield ""
    yield "What happened" + (" (the last part of it)" if found["is_shortened"] else "")
    for one in found["transitions"]:
        yield from _entered(one) if one["kind"] == "state" else _refused(one)
    if found["traces"]:
        yield ""
        yield _HINT


def _entered(one: _Json) -> Iterator[str]:
    yield _row(one["at"], _named(one), _length(one["seconds"]), one["trace_id"])
    if one["message"]:
        yield f"      {plain(one['message'].strip().splitlines()[0])}"


def _refused(one: _Json) -> Iterator[str]:
    times = f"{one['times']} times" if one["times"] > 1 else ""
    yield _row(one["at"], f"  refused {_named(one)}", times, one["trace_id"])
    until = f", the last time {_instant(one['last'])}" if one["times"] > 1 else ""
    reason = f": {plain(one['reason'])}" if one["reason"] else ""
    yield f"      {one['verdict']} by {plain(one['rule'])}{until}{reason}"


def _named(one: _Json) -> str:
    name, kind = plain(one["name"]), str(one["type"])
    return name if name.upper() == kind else f"{name} ({kind})"


def _row(at: str, what: str, lasted: str, trace_id: str | None) -> str:
    return f"  {_instant(at)}  {what:<{_STATE_WIDTH}}  {lasted:<12}  {trace_id or ''}".rstrip()


def _length(seconds: float | None) -> str:
    return "" if seconds is None else f"+{length(seconds)}"


def _evidence(one: _Json) -> str:
    kind = one["kind"].replace("_", " ")
    named, said = (one[member] and plain(one[member]) for member in ("name", "text"))
    parts = [named, said, _number(one, kind), one["id"], one["at"] and _instant(one["at"])]
    return f"{kind}: {'  '.join(part for part in parts if part)}"


def _number(one: _Json, kind: str) -> str:
    if one["number"] is None:
        return ""
    unit = one["unit"] if one["number"] != 1 else one["unit"].removesuffix("s")
    return f"{one['number']:g}" if one["unit"] in kind.split() else f"{one['number']:g} {unit}"


def _instant(text: str) -> str:
    return clock(datetime.fromisoformat(text))
