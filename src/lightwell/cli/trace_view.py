"""One trace whole: what it was, its waterfall, what went wrong in it, and what was said meanwhile."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from lightwell.cli.moments import length, parsed
from lightwell.cli.stacks import shortened
from lightwell.cli.terminal import Screen, Style, plain, plain_lines
from lightwell.cli.waterfall import waterfall

_LEVELS: Final[Mapping[str, tuple[Style, ...]]] = {
    "error": ("red",),
    "critical": ("red",),
    "warning": ("yellow",),
    "debug": ("dim",),
}
_RUN: Final = "prefect.run.id"
_REQUEST: Final = "http.request"
_TOLD_ABOVE: Final = frozenset({"stack", "exception_message", "trace_id", "span_id"})
_EXCEPTION: Final = ("exception.type", "exception.message", "exception.stacktrace")

Told = tuple[str, str, str]
"""An exception: type, message and traceback."""


def view(out: Screen, trace: Mapping[str, Any], *, full: bool) -> Iterator[str]:
    """The lines, the cause of a failure last but for what was said."""
    yield from _heading(out, trace)
    yield ""
    yield from waterfall(out, trace, full=full)
    for exception in _exceptions(trace["spans"], trace["lines"]):
        yield ""
        yield from _exception(out, exception, full=full)
    if trace["lines"]:
        yield ""
        yield out.paint("Log", "bold")
        yield from _lines(out, trace["lines"], parsed(trace["started"]), full=full)


def _heading(out: Screen, trace: Mapping[str, Any]) -> Iterator[str]:
    yield f"{out.paint('Trace', 'bold')} {trace['trace_id']}  {_verdict(out, trace['spans'])}"
    started = parsed(trace["started"])
    spans = len(trace["spans"])
    facts = [f"{started:%Y-%m-%d %H:%M:%S.%f}"[:-3] + f" {started:%Z}", length(trace["duration"])]
    facts += [f"{spans} span{'' if spans == 1 else 's'}", " and ".join(map(plain, trace["services"]))]
    kept = [span["attributes"].get("lightwell.kept.reason") for span in trace["spans"]]
    facts += [f"kept: {plain(', '.join(dict.fromkeys(map(str, filter(None, kept)))))}"] if any(kept) else []
    yield "  ".join(fact for fact in facts if fact)
    for run in trace["flow_run_ids"]:
        yield f"flow run {run}"
    if trace["truncated"]:
        yield out.paint("There is more than is shown.", "yellow")


def _verdict(out: Screen, spans: Sequence[Mapping[str, Any]]) -> str:
    """Whether it failed as a whole: what is within nothing else, a run, or this server's part.

    A client's request that was answered 404 is a failure to the client's SDK, and most often no trouble to anybody.
    """
    failed = [span for span in spans if span["status"] == "error"]
    if any(span["depth"] == 0 or span["kind"] == "server" or _RUN in span["attributes"] for span in failed):
        return out.paint("failed", "red", "bold")
    return f"healthy, but for {len(failed)} span{'' if len(failed) == 1 else 's'}" if failed else "healthy"


def _exceptions(spans: Sequence[Mapping[str, Any]], lines: Sequence[Mapping[str, Any]]) -> Iterator[Told]:
    """Every exception once, from spans, and from lines where no span has it."""
    events = (event["attributes"] for span in spans for event in span["events"] if event["name"] == "exception")
    found = [tuple(str(event.get(name) or "") for name in _EXCEPTION) for event in events]
    said = (line["fields"] for line in lines if line["fields"].get("exception_type"))
    found += [
        (str(fields["exception_type"]), str(fields.get("exception_message") or ""), str(fields.get("stack") or ""))
        for fields in said
    ]
    seen: set[tuple[str, str]] = set()
    for kind, message, stack in found:
        if (kind, message) not in seen and not (not stack and any(kind == other for other, _ in seen)):
            seen.add((kind, message))
            yield kind, message, stack


def _exception(out: Screen, told: Told, *, full: bool) -> Iterator[str]:
    kind, message, stack = told
    yield out.paint(plain(": ".join(filter(None, (kind, message))) or "exception"), "red", "bold")
    if stack:
        yield from plain_lines(stack.rstrip("\n")) if full else shortened(out, stack.rstrip("\n"))


def _lines(out: Screen, lines: Sequence[Mapping[str, Any]], started: datetime, *, full: bool) -> Iterator[str]:
    """What was said; that a request went well is said by its span too, so such lines are counted alone."""
    left_out = 0
    for line in lines:
        if line["event"] == _REQUEST and line["level"] == "info" and not full:
            left_out += 1
        else:
            yield _line(out, line, started, full=full)
    if left_out:
        yield out.paint(f"… {left_out} line{'' if left_out == 1 else 's'} of requests that went well (--full)", "dim")


def _line(out: Screen, line: Mapping[str, Any], started: datetime, *, full: bool) -> str:
    at, level = parsed(line["at"]), plain(line["level"])
    fields = {name: value for name, value in line["fields"].items() if full or name not in _TOLD_ABOVE}
    said = "".join(f" {plain(name)}={plain(value)}" for name, value in fields.items() if name != "stack")
    passed = (at - started).total_seconds()
    text = f"{at:%H:%M:%S.%f}"[:-3] + f"  +{length(max(0.0, passed))}  {level}  {plain(line['event'])}{said}"
    return out.paint(text, *_LEVELS.get(line["level"], ()))
