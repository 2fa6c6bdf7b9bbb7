"""What can go wrong, by who can mend it; edges turn a kind into a status code (`api/problems.py`).

`Rejected` is for the caller to mend, `Unavailable` for time to mend, `Defect` for us. The name of a class is
stable: it is the `outcome` of an operation in telemetry.
"""


class LightwellError(Exception):
    """The root of every error that this server raises on purpose."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Rejected(LightwellError):
    """The caller can mend it; answered with a 4xx."""


class Invalid(Rejected):
    """The request is understood and cannot be carried out as it stands."""


class NotFound(Rejected):
    """The object does not exist.

    `kind` is its type for telemetry (`flow_run`). With a `message` of its own it is answered as `exception_message`, as
    the contract has it where a verb misses the object that it works on; else as `detail`, which is then the message.
    """

    def __init__(self, kind: str, message: str | None = None, *, detail: str | None = None) -> None:
        super().__init__(message or detail or f"{kind.replace('_', ' ').capitalize()} not found")
        self.kind = kind
        self.is_missed_by_verb = message is not None


class Gone(Rejected):
    """What the caller held is not the caller's any more."""


class Conflict(Rejected):
    """The change contradicts what is stored; `constraint` names the rule that was broken, where one is known."""

    def __init__(self, message: str, *, constraint: str | None = None) -> None:
        super().__init__(message)
        self.constraint = constraint


class Locked(Rejected):
    """A limit is full; `retry_after` is in seconds, None where waiting does not help."""

    def __init__(self, message: str, *, retry_after: float | None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Forbidden(Rejected):
    """The caller is known and may not do this."""


class Unauthenticated(Rejected):
    """The caller is not known."""


class Unavailable(LightwellError):
    """Time can mend it; answered with 503 and `Retry-After` of `retry_after` seconds."""

    def __init__(self, message: str, *, retry_after: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Busy(Unavailable):
    """Too much is waiting already, or somebody else holds the database."""


class TimedOut(Unavailable):
    """The work took longer than it may."""


class OutOfOrder(Unavailable):
    """A part of the server that nothing else needs does not work at present; its message is for the caller."""

    def __init__(self, message: str) -> None:
        super().__init__(message, retry_after=60.0)


class Defect(LightwellError):
    """Ours to mend; answered with 500."""
