"""A trace on a screen: what was done within what, when, and for how long, a line for each span."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lightwell.cli.moments import length
from lightwell.cli.terminal import Screen, Style, cells, padded, plain

Span = Mapping[str, Any]

_MOST_LABEL: Final = 0.55
_LEAST_BAR: Final = 12
_PIPED_BAR: Final = 40
_LONGEST_STATEMENT: Final = 100
_DEEPEST: Final = 12
_LEAST_GAP: Final = 0.1
"""Of the whole trace: a longer pause between the parts of a span has a line of its own."""
_SHORTEST_GAP: Final = 0.001
_STATEMENT: Final = "db.query.text"
_VERDICT: Final = "orchestration.verdict"
_BEGAN: Final = "db.unit.began"
_OURS: Final = frozenset({"validation.failed", "integrity.conflict", "object.not_found", "request.rejected"})
_EMPTY: Final = ("", None)
_TOLD_BELOW: Final = frozenset({"exception", _BEGAN})
_PLAIN_VERDICT: Final = "ACCEPT"


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the waterfall; `bar` is when it began, stopped waiting and ended, in seconds of the trace."""

    label: str
    bar: tuple[float, float, float] | None = None
    styles: tuple[Style, ...] = ()
    note: str = ""


def waterfall(out: Screen, trace: Mapping[str, Any], *, full: bool) -> Iterator[str]:
    """The lines; `full` has every statement, verdict and attribute whole."""
    spans: Sequence[Span] = trace["spans"]
    end = max((span["offset"] + span["duration"] for span in spans), default=0.0)
    rows = list(_rows(spans, end, full=full))
    lasting = [length(row.bar[2] - row.bar[0]) if row.bar else "" for row in rows]
    number = max([cells(text) for text in lasting], default=0)
    label, bar = _widths(out, rows, number)
    for row, took in zip(rows, lasting, strict=True):
        if row.bar is None:
            yield out.paint(out.fit(f"{row.label}{row.note}"), *row.styles)
            continue
        name = padded(out.fit(row.label, label), label)
        drawn = _drawn(out, row.bar, end, bar)
        yield f"{out.paint(name, *row.styles)}  {drawn}  {padded(took, number, right=True)}{row.note}"


def _widths(out: Screen, rows: Sequence[Row], number: int) -> tuple[int, int]:
    longest = max((cells(row.label) for row in rows if row.bar), default=0)
    if out.width is None:
        return longest, _PIPED_BAR
    note = max((cells(row.note) for row in rows if row.bar), default=0)
    room = out.width - number - note - 4
    label = min(longest, max(int(room * _MOST_LABEL), room - _PIPED_BAR * 2))
    bar = max(_LEAST_BAR, room - label)
    return min(label, room - bar), bar


def _rows(spans: Sequence[Span], end: float, *, full: bool) -> Iterator[Row]:
    makers = {span["span_id"]: span["service"] for span in spans}
    has_several = len(set(makers.values())) > 1
    reached: dict[str | None, float] = {span["span_id"]: span["offset"] for span in spans}
    least = max(_SHORTEST_GAP, end * _LEAST_GAP)
    open_spans: list[Span] = []
    for span in (*spans, None):
        while open_spans and (span is None or open_spans[-1]["depth"] >= span["depth"]):
            yield from _rest(open_spans.pop(), reached, least)
        if span is None:
            return
        open_spans.append(span)
        parent = span["parent_id"]
        indent = _indent(span["depth"])
        maker = span["service"] if has_several and span["service"] != makers.get(parent) else None
        if parent in reached:
            if span["offset"] - reached[parent] >= least:
                yield _gap(indent, reached[parent], span["offset"])
            reached[parent] = max(reached[parent], span["offset"] + span["duration"])
        yield _row(span, indent, maker, full=full)
        yield from _details(span, indent, full=full)


def _row(span: Span, indent: str, maker: str | None, *, full: bool) -> Row:
    attributes, began = span["attributes"], span["offset"]
    is_failed = span["status"] == "error"
    name = plain(span["name"])
    statement = attributes.get(_STATEMENT)
    if statement is not None:
        name = plain(statement) if full else plain(statement)[:_LONGEST_STATEMENT]
    mark = f"{'✗ ' if is_failed else ''}{f'[{plain(maker)}] ' if maker else ''}"
    answered = attributes.get("http.response.status_code")
    note = f"  {answered}" if answered is not None else ""
    started = next((event["offset"] for event in span["events"] if event["name"] == _BEGAN), began)
    styles: tuple[Style, ...] = ("red",) if is_failed else ("bold",) if not indent else ()
    ended = began + span["duration"]
    return Row(f"{indent}{mark}{name}", (began, min(max(began, started), ended), ended), styles, note)


def _rest(span: Span, reached: Mapping[str | None, float], least: float) -> Iterator[Row]:
    """What is left of a span after the last of its parts, where there are any and it is long."""
    last, ended = reached[span["span_id"]], span["offset"] + span["duration"]
    if last > span["offset"] and ended - last >= least:
        yield _gap(_indent(span["depth"] + 1), last, ended)


def _indent(depth: int) -> str:
    return "  " * min(depth, _DEEPEST)


def _gap(indent: str, began: float, ended: float) -> Row:
    return Row(f"{indent}(nothing recorded)", (began, ended, ended), ("dim",))


def _details(span: Span, indent: str, *, full: bool) -> Iterator[Row]:
    below = f"{indent}    "
    for event in span["events"]:
        attributes = event["attributes"]
        if event["name"] == _VERDICT:
            if full or attributes.get("lightwell.verdict") != _PLAIN_VERDICT:
                yield Row(below, None, ("yellow",), _verdict(attributes))
        elif event["name"] not in _TOLD_BELOW:
            styles: tuple[Style, ...] = ("yellow",) if event["name"] in _OURS else ("dim",)
            yield Row(below, None, styles, f"{plain(event['name'])}{_written(attributes, full=full)}")
    if span["status_message"]:
        yield Row(below, None, ("red",), plain(span["status_message"]))
    for link in span["links"]:
        said = f"linked to trace {link['trace_id']}{_written(link['attributes'], full=full)}"
        yield Row(below, None, ("dim",), said)
    if full:
        for name, value in sorted(span["attributes"].items()):
            if name != _STATEMENT:
                yield Row(below, None, ("dim",), f"{plain(name)} = {plain(value)}")


def _verdict(attributes: Mapping[str, Any]) -> str:
    said = f"{attributes.get('lightwell.verdict')} by {attributes.get('lightwell.rule')}"
    reason = attributes.get("lightwell.reason")
    return plain(f"{said}: {reason}" if reason else said)


def _written(attributes: Mapping[str, Any], *, full: bool) -> str:
    """The attributes that say something; ids and what is empty only in full."""
    said = (
        (plain(name), plain(value))
        for name, value in attributes.items()
        if full or (value not in _EMPTY and not name.endswith(".id"))
    )
    return "".join(f" {name}={value}" for name, value in said)


def _drawn(out: Screen, bar: tuple[float, float, float], end: float, width: int) -> str:
    """The bar in its place: what was waited for is lighter than what was done."""
    wait, work, styles = ("░", "█", ("cyan",)) if out.has_unicode else (".", "#", ())
    scale = width / end if end > 0 else 0.0
    began, started, ended = (min(width, round(instant * scale)) for instant in bar)
    began = min(began, width - 1)
    ended = max(ended, began + 1)
    started = began if bar[0] == bar[1] else min(max(started, began), ended)
    drawn = out.paint(wait * (started - began), "dim") + out.paint(work * (ended - started), *styles)
    return f"{' ' * began}{drawn}{' ' * (width - ended)}"
