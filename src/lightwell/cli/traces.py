"""`lightwell traces`: what a running server has seen, read from its store of traces."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final

import typer

from lightwell.cli.failures import told_plainly
from lightwell.cli.moments import ago, instant_in, length, parsed, seconds_in, sent, shown
from lightwell.cli.remote import Remote, Url, remote
from lightwell.cli.terminal import Column, Screen, Style, plain, screen, table
from lightwell.cli.trace_view import view
from lightwell.errors import Invalid, NotFound

app = typer.Typer(
    add_completion=False, rich_markup_mode=None, no_args_is_help=True, help="Look at what a running server has seen."
)

AsJson = Annotated[bool, typer.Option("--json", help="The API's own answer, for programs.")]
Since = Annotated[str | None, typer.Option(help="Not before: 1h (ago), 03:10 (today), 2026-01-31T03:10:00Z.")]
Until = Annotated[str | None, typer.Option(help="Before, in the same ways.")]
Limit = Annotated[int, typer.Option(min=1, max=200, help="How many at most.")]

_TRACE_ID: Final = re.compile(r"(?:[0-9a-f]{2}-)?([0-9a-f]{32})(?:-[0-9a-f]{16}(?:-[0-9a-f]{2})?)?")
_RUN_ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PREFIX: Final = re.compile(r"[0-9a-f]{4,32}")
_PAGES: Final = 10
_SHORT: Final = 10
_WIDE: Final = 120
_SHOWN: Final = ("TIME", "TRACE", "WHAT", "CODE", "TOOK", "KEPT", "EXCEPTION")


@app.command()
@told_plainly
def ls(  # noqa: PLR0913, PLR0917 -- one for each way to choose
    url: Url = None,
    failed: Annotated[bool, typer.Option("--failed", help="Only what failed.")] = False,
    route: Annotated[str | None, typer.Option(help="Of this route: /api/flow_runs/{id}.")] = None,
    status: Annotated[int | None, typer.Option(help="Answered with this status.")] = None,
    min_duration: Annotated[str | None, typer.Option(help="That took at least: 500ms, 2s.")] = None,
    since: Since = None,
    until: Until = None,
    run: Annotated[str | None, typer.Option(help="That has to do with the flow run of this id.")] = None,
    text: Annotated[str | None, typer.Option(help="With this in the type or message of its exception.")] = None,
    limit: Limit = 20,
    as_json: AsJson = False,
) -> None:
    """List traces, newest first."""
    server, now = remote(url), datetime.now().astimezone()
    query = {
        "failed": "true" if failed else None,
        "route": route,
        "status": status,
        "min_duration": None if min_duration is None else seconds_in(min_duration),
        "after": None if since is None else sent(instant_in(since, now)),
        "before": None if until is None else sent(instant_in(until, now)),
        "flow_run_id": run,
        "text": text,
        "limit": limit,
    }
    page = server.get("/telemetry/traces", query)
    if as_json:
        _write_json(page)
        return
    _write(_listed(screen(), page["traces"], now) if page["traces"] else ["No such trace is stored."])


@app.command()
@told_plainly
def show(
    trace_id: Annotated[
        list[str], typer.Argument(metavar="TRACE_ID", help="The id, the beginning of one, or a whole traceparent.")
    ],
    url: Url = None,
    full: Annotated[bool, typer.Option("--full", help="Statements, stacks, verdicts and attributes whole.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show one trace: waterfall, exception and log lines."""
    server = remote(url)
    trace = server.get(f"/telemetry/traces/{_whole_id(server, ''.join(trace_id))}")
    if as_json:
        _write_json(trace)
        return
    _write(view(screen(), trace, full=full))


@app.command()
@told_plainly
def failures(
    url: Url = None, since: Since = None, until: Until = None, limit: Limit = 20, as_json: AsJson = False
) -> None:
    """Show failures in groups: the same route, exception and line of code; the one that was seen last first."""
    now = datetime.now().astimezone()
    query = {
        "after": None if since is None else sent(instant_in(since, now)),
        "before": None if until is None else sent(instant_in(until, now)),
        "limit": limit,
    }
    found = remote(url).get("/telemetry/failures", query)
    if as_json:
        _write_json(found)
        return
    _write(_grouped(screen(), found["failures"], now) if found["failures"] else ["No failure is stored."])


def _whole_id(server: Remote, given: str) -> str:
    """The id that was meant; raises Invalid for what is none, NotFound where none begins so, or several do."""
    text = "".join(given.split()).lower()
    if match := _TRACE_ID.fullmatch(text):
        return match[1]
    if _RUN_ID.fullmatch(text):
        raise Invalid(f"{text} is the id of a run; `lightwell traces ls --run {text}` lists its traces")
    if not _PREFIX.fullmatch(text):
        raise Invalid(f"{plain(given)} is no trace id: 32 hexadecimal digits, or the first four or more of them")
    found = {one for one in _newest_ids(server) if one.startswith(text)}
    if len(found) == 1:
        return found.pop()
    if found:
        raise Invalid(f"{len(found)} traces begin with {text}: {', '.join(sorted(found)[:5])}")
    raise NotFound("trace", f"None of the newest traces begins with {text}")


def _newest_ids(server: Remote) -> Iterator[str]:
    cursor = None
    for _ in range(_PAGES):
        page = server.get("/telemetry/traces", {"limit": 200, "cursor": cursor})
        yield from (trace["trace_id"] for trace in page["traces"])
        cursor = page["next"]
        if cursor is None:
            return


def _listed(out: Screen, traces: Sequence[Mapping[str, Any]], now: datetime) -> Iterator[str]:
    ids = None if out.width is None or out.width >= _WIDE else _SHORT
    columns = [Column(title, _share(title), is_number=title == "TOOK") for title in _SHOWN]
    rows = [
        [
            shown(parsed(trace["started"]), now),
            trace["trace_id"][:ids],
            plain(trace["name"]),
            str(trace["status"] or ""),
            length(trace["duration"]),
            "" if trace["reason"] == "baseline" else plain(trace["reason"] or ""),
            _exception_in(out, trace["exception_type"]),
        ]
        for trace in traces
    ]
    heading, *lines = table(out, columns, rows)
    yield out.paint(heading, "bold")
    for line, trace in zip(lines, traces, strict=True):
        styles: tuple[Style, ...] = ("red",) if trace["failed"] else ()
        yield out.paint(line, *styles)


def _share(title: str) -> int:
    return {"WHAT": 3, "EXCEPTION": 2}.get(title, 0)


def _exception_in(out: Screen, kind: str | None) -> str:
    """The exception's type, without its module where lines have an end."""
    shown_kind = plain(kind or "")
    return shown_kind if out.width is None else shown_kind.rpartition(".")[2]


def _grouped(out: Screen, groups: Iterable[Mapping[str, Any]], now: datetime) -> Iterator[str]:
    for index, group in enumerate(groups):
        first, last = parsed(group["first_seen"]), parsed(group["last_seen"])
        message = plain(group["exception_message"] or "")
        kind = plain(group["exception_type"] or "no exception")
        times = f"{group['count']} time{'' if group['count'] == 1 else 's'}"
        if index:
            yield ""
        yield out.paint(f"{times}  {plain(group['name'])}", "bold")
        yield out.paint(out.fit(f"    {kind}: {message}" if message else f"    {kind}"), "red")
        if group["frame"]:
            yield f"    at {plain(group['frame'])}"
        yield f"    first {shown(first, now)}, last {shown(last, now)} ({ago(last, now)})"
        yield from (f"    trace {trace_id}" for trace_id in group["trace_ids"])


def _write(lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(line, color=True)


def _write_json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))
