"""Making reasons; a text begins small and has no full stop, because it also stands inside the headline."""

from datetime import datetime
from uuid import UUID

from lightwell.contract.explanations import Certainty, Evidence, EvidenceKind, Reason, ReasonCode


def reason(
    code: ReasonCode,
    text: str,
    *evidence: Evidence,
    since: datetime | None = None,
    certainty: Certainty = Certainty.CERTAIN,
) -> Reason:
    """A reason."""
    return Reason(code=code, certainty=certainty, text=text, since=since, evidence=list(evidence))


def thing(kind: EvidenceKind, identity: UUID | None, name: str | None, at: datetime | None = None) -> Evidence:
    """Something that has an identity, and since when it is as it is."""
    return Evidence(kind=kind, id=identity, name=name, at=at)


def number(kind: EvidenceKind, value: float, unit: str) -> Evidence:
    """A number of something."""
    return Evidence(kind=kind, number=value, unit=unit)


def moment(kind: EvidenceKind, at: datetime) -> Evidence:
    """When something happened, or will."""
    return Evidence(kind=kind, at=at)
