"""Events: posted or streamed in, filtered, paged, counted, streamed out."""

from tests.protocol.scenario import Call, Json, Ping, Receive, Refused, Scenario, Send, Socket
from tests.protocol.scenarios.words import MAKE_FLOW, events_of, make_run

_AUTH = Send(frame={"type": "auth", "token": None})
_HOUR = "2030-01-01T00"
_ALWAYS: dict[str, Json] = {"occurred": {"since": "2020-01-01T00:00:00Z", "until": "2040-01-01T00:00:00Z"}}
"""Without it a subscription ends where it begins: the default of `until` is the present."""
_FLOW: Json = {"id": ["prefect.flow.$flow"]}


def _event(name: str, minute: int, resource: str = "a", **members: Json) -> dict[str, Json]:
    event: dict[str, Json] = {
        "id": f"$uuid_{name}_{minute}_{resource}",
        "occurred": f"{_HOUR}:{minute:02}:00Z",
        "event": f"$unique.{name}",
        "resource": {"prefect.resource.id": f"$unique.{resource}", "prefect.resource.name": f"Resource {resource}"},
    }
    return event | members


_EVENTS: list[dict[str, Json]] = [
    _event("made", 1, payload={"deep": {"list": [1, None, "x"]}}),
    _event("changed", 2, "b", related=[{"prefect.resource.id": "$unique.owner", "prefect.resource.role": "owner"}]),
    _event(
        "changed",
        3,
        related=[
            {"prefect.resource.id": "$unique.owner", "prefect.resource.role": "owner", "kind": "person"},
            {"prefect.resource.id": "$unique.other", "prefect.resource.role": "friend"},
        ],
    ),
    _event("ended", 4, follows="$uuid_changed_3_a"),
]
_SPAN: dict[str, Json] = {"since": f"{_HOUR}:00:00Z", "until": f"{_HOUR}:59:00Z"}
_PAST: dict[str, Json] = {"since": "2025-01-01T00:00:30Z", "until": "2025-01-01T00:09:30Z"}


def _found(*, until: int | None = None, **criteria: Json) -> Call:
    """What of the play's events a filter finds, oldest first."""
    return Call(
        request="POST /events/filter",
        body={"filter": {"occurred": _SPAN, "event": {"prefix": ["$unique."]}, "order": "ASC", **criteria}},
        until={} if until is None else {"total": until},
        pick=("id",),
        mask=("received",),
    )


def _odd(**members: Json) -> Call:
    return Call(request="POST /events", body=[_event("odd", 9) | members])


def _counted(countable: str, span: Json = _SPAN, first: int | None = None, **more: Json) -> Call:
    """How many of the play's events there are, when the first count is as large as that."""
    criteria: Json = {"occurred": span, "event": {"prefix": ["$unique."]}}
    return Call(
        request=f"POST /events/count-by/{countable}",
        body={"filter": criteria, **more},
        until={} if first is None else {"0.count": first},
    )


_POSTED = (Call(request="POST /events", body=_EVENTS), _found(until=4))

SCENARIOS = (
    Scenario(
        name="events-filtered",
        title="Events are found by name, resource, related resource, time and id, in either order",
        steps=(
            *_POSTED,
            _found(order="DESC"),
            _found(event={"name": ["$unique.changed"]}),
            _found(event={"prefix": ["$unique.ch", "$unique.en"]}),
            _found(event={"prefix": ["$unique."], "exclude_prefix": ["$unique.ch"]}),
            _found(event={"prefix": ["$unique."], "exclude_name": ["$unique.made"]}),
            _found(resource={"id": ["$unique.b"]}),
            _found(resource={"id_prefix": ["$unique."]}),
            _found(resource={"labels": {"prefect.resource.name": "Resource b"}}),
            _found(resource={"labels": {"prefect.resource.name": ["Resource a", "none"]}}),
            _found(resource={"labels": {"prefect.resource.id": "$unique.*"}}),
            _found(resource={"labels": {"prefect.resource.id": "!$unique.a"}}),
            _found(resource={"labels": {"missing": "x"}}),
            _found(resource={"id": ["$unique.a"], "distinct": True}),
            _found(related={"id": ["$unique.owner"]}),
            _found(related={"role": ["friend"]}),
            _found(related={"resources_in_roles": [["$unique.owner", "owner"]]}),
            _found(related={"labels": {"kind": "person"}}),
            _found(related=[{"id": ["$unique.owner"]}, {"id": ["$unique.other"]}]),
            _found(any_resource={"id": ["$unique.b", "$unique.other"]}),
            _found(any_resource={"id_prefix": ["$unique.o"]}),
            _found(any_resource={"labels": {"prefect.resource.id": "$unique.b"}}),
            _found(any_resource=[{"id": ["$unique.owner"]}, {"id": ["$unique.other"]}]),
            _found(id={"id": ["$uuid_made_1_a"]}),
            _found(occurred={"since": f"{_HOUR}:02:00Z", "until": f"{_HOUR}:03:00Z"}),
            Call(
                request="POST /events/filter",
                body={"filter": {"event": {"prefix": ["$unique."]}}},
            ),
            _found(nope={}),
            _found(resource={"nope": 1}),
        ),
    ),
    Scenario(
        name="events-posted",
        title="Posted events are kept once, whatever their shape allows",
        steps=(
            *_POSTED,
            Call(request="POST /events", body=_EVENTS),
            _found(),
            Call(request="POST /events", body=[]),
            Call(request="POST /events", body={}),
            Call(request="POST /events", body=[{"event": "x"}]),
            _odd(payload=None),
            _odd(related=[{"prefect.resource.id": "x"}]),
            _odd(related=[{"prefect.resource.role": "x"}]),
            _odd(follows="not-an-id"),
            _odd(more=1),
            Call(request="POST /events/", body=[]),
        ),
    ),
    Scenario(
        name="events-paged",
        title="A page of events names the address of the next one",
        steps=(
            *_POSTED,
            Call(
                request="POST /events/filter",
                body={"filter": {"occurred": _SPAN, "event": {"prefix": ["$unique."]}, "order": "ASC"}, "limit": 3},
                save={"next": "next_page"},
                mask=("received",),
            ),
            Call(request="GET $next", mask=("received",)),
            Call(
                request="POST /events/filter",
                body={"filter": {"occurred": _SPAN, "event": {"prefix": ["$unique."]}}, "limit": 4},
                pick=("id",),
                mask=("received",),
            ),
            Call(request="POST /events/filter", body={"limit": 51}),
            Call(request="POST /events/filter", body={"limit": -1}),
            Call(request="GET /events/filter/next"),
            Call(request="GET /events/filter/next?page-token=nonsense"),
            Call(request="GET /events/filter/next?page-token="),
        ),
    ),
    Scenario(
        name="events-counted",
        title="Events are counted by what happened, to what, and when",
        steps=(
            *_POSTED,
            _counted("event"),
            _counted("resource"),
            _counted("time", time_unit="second", time_interval=0.001),
            _counted("time", time_unit="second", time_interval=1.5),
            _counted("nonsense"),
            _counted("event", time_unit="nonsense"),
            Call(request="POST /events/count-by/event", body={}),
        ),
    ),
    Scenario(
        name="events-searched",
        title="Words in an event's text",
        server="postgres",
        steps=(
            *_POSTED,
            *(
                _found(text={"query": query})
                for query in (
                    "changed",
                    "RESOURCE",
                    "-changed",
                    "owner",
                    "deep",
                    "x",
                    "+changed +person",
                    '"Resource b"',
                    "",
                )
            ),
        ),
    ),
    Scenario(
        name="events-counted-over-time",
        title="Events are counted by spans of time, those without any too, up to the present",
        steps=(
            Call(
                request="POST /events",
                body=[event | {"occurred": str(event["occurred"]).replace("2030-", "2025-")} for event in _EVENTS],
            ),
            _counted("day", _PAST, 4),
            _counted("time", _PAST, 1, time_unit="minute", time_interval=2),
            _counted("time", _PAST, 4, time_unit="hour"),
            _counted("time", _PAST, 4, time_unit="week"),
        ),
    ),
    Scenario(
        name="events-out",
        title="A subscriber gets what was before, then what comes, each once",
        steps=(
            MAKE_FLOW,
            Call(
                request="POST /events/filter",
                body={"filter": {"resource": {"id": ["prefect.flow.$flow"]}}},
                until={"total": 1},
            ),
            Socket(
                path="/events/out",
                frames=(
                    _AUTH,
                    Receive(),
                    Send(frame={"type": "filter", "filter": {**_ALWAYS, "any_resource": _FLOW}}),
                    Receive(),
                    make_run(),
                    Receive(),
                    Call(request="PATCH /flows/$flow", body={"tags": ["changed"]}),
                    Receive(),
                ),
            ),
            events_of("prefect.flow-run.$run", 1),
            Socket(
                path="/events/out",
                frames=(
                    _AUTH,
                    Receive(),
                    Send(
                        frame={
                            "type": "filter",
                            "filter": {**_ALWAYS, "event": {"prefix": ["prefect.flow-run."]}, "any_resource": _FLOW},
                            "backfill": True,
                        }
                    ),
                    Receive(),
                ),
            ),
        ),
    ),
    Scenario(
        name="events-out-handshake",
        title="How a subscription begins, and which words end it",
        steps=(
            Socket(path="/events/out", frames=(_AUTH, Receive(), Send(frame={"type": "nonsense"}), Refused())),
            Socket(
                path="/events/out",
                frames=(_AUTH, Receive(), Send(frame={"type": "filter", "filter": {"nope": 1}}), Refused()),
            ),
            Socket(path="/events/out", frames=(Send(frame={"type": "filter", "filter": {}}), Refused())),
            Socket(path="/events/out", subprotocols=(), frames=(Ping(),)),
            Socket(path="/logs/out", frames=(_AUTH, Receive(), Send(frame={"type": "nonsense"}), Refused())),
            Socket(
                path="/logs/out",
                frames=(_AUTH, Receive(), Send(frame={"type": "filter", "filter": {"nope": 1}}), Refused()),
            ),
            Socket(path="/logs/out", frames=(Send(frame={"type": "filter", "filter": {}}), Refused())),
        ),
    ),
)
