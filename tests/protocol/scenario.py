"""The words in which a conversation with a server is written down; `scenarios/` uses them, `player.py` plays them.

Strings of a request may hold placeholders: `$flow` is a value saved from an earlier answer; `$unique` is a word that no
other play uses; `$uuid_x` is a new id; `$now`, `$ago_60` and `$in_60` are instants, in seconds around the play's start.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, TypeAlias

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"


class Look(Enum):
    """How closely an answer is looked at."""

    WHOLE = "whole"
    """Status, content type and body."""
    SHAPE = "shape"
    """Status, content type and the names of the body's members."""
    STATUS = "status"
    """The status alone."""


class Absent(Enum):
    """Says that a request has no body, which is not the same as `null`."""

    BODY = "absent"


NO_BODY: Final = Absent.BODY


@dataclass(frozen=True, kw_only=True)
class Call:
    """One HTTP request and what is of interest in its answer."""

    request: str
    """Method and path, such as `POST /flows/`; the path is below the API's root."""
    body: "Json | Absent" = NO_BODY
    raw: str | None = None
    """A body that is sent as it is, with no content type but what `headers` says."""
    headers: Mapping[str, str] = field(default_factory=dict)
    save: Mapping[str, str] = field(default_factory=dict)
    """Names for members of the answer, by their dotted path (`results.0.id`)."""
    until: Mapping[str, Json] = field(default_factory=dict)
    """The request is repeated until these members, by dotted path, have these values (the empty path is the body)."""
    keep: tuple[str, ...] = ()
    """Headers of the answer that matter here."""
    mask: tuple[str, ...] = ()
    """Members, at any depth, whose values are left out of the transcript because they differ with each play."""
    pick: tuple[str, ...] = ()
    """Of each object in the answer's list (or in its `results`), only these members are looked at."""
    unordered: bool = False
    """The order of a list in the answer's body is not promised."""
    look: Look = Look.WHOLE


@dataclass(frozen=True, kw_only=True)
class Send:
    """A frame to the server; text goes as it is, all else as JSON."""

    frame: Json


@dataclass(frozen=True, kw_only=True)
class Receive:
    """A frame from the server that must come within some seconds."""

    mask: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Refused:
    """The server ends the connection by itself: what counts is its close code and reason."""


@dataclass(frozen=True, kw_only=True)
class Ping:
    """A ping, whose answer is awaited: for events it means that all before it is kept."""


@dataclass(frozen=True, kw_only=True)
class Socket:
    """One websocket connection from its opening to its end."""

    path: str
    frames: tuple[Send | Receive | Refused | Ping | Call, ...] = ()
    subprotocols: tuple[str, ...] = ("prefect",)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A conversation with a title, played from its first step to its last against one server."""

    name: str
    title: str
    steps: tuple[Call | Socket, ...]
    server: str = "open"
    """Which server it wants: `open`, `guarded` (CSRF protection and a password), or `postgres`.

    The last is for what the reference server can do on PostgreSQL alone.
    """
