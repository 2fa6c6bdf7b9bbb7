"""What every model of the contract does."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from pydantic import TypeAdapter, ValidationError

from lightwell.contract.flows import Flow
from lightwell.contract.model import Envelope, Input, Instant, Model

INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)


class Parcel(Envelope):
    """A body for these tests."""

    weight: float = 1.0
    label: str | None = None


class Address(Input):
    """A strict body for these tests."""

    street: str


class Journey(Model):
    """An answer for these tests."""

    lasted: timedelta


def _flow_members() -> dict[str, Any]:
    return {"id": uuid4(), "created": None, "updated": None, "name": "n", "tags": ["a"], "labels": {"b": 1}}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-01-02T03:04:05", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05+02:00", datetime(2026, 1, 2, 1, 4, 5, tzinfo=UTC)),
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_an_instant_is_kept_in_utc(written: object, meant: datetime) -> None:
    """Whatever its offset, an instant is the same point in time in UTC."""
    kept = INSTANT.validate_python(written)
    assert kept == meant
    assert kept.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "written",
    [
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "10000-01-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "soon",
        1e300,
        float("nan"),
        10**30,
        None,
    ],
)
def test_what_is_no_instant_is_refused(written: object) -> None:
    """A date outside the calendar is a validation error, not an exception of the calendar."""
    with pytest.raises(ValidationError):
        INSTANT.validate_python(written)


def test_durations_are_answered_as_seconds() -> None:
    """A duration is a number of seconds in JSON."""
    assert Journey(lasted=timedelta(minutes=1.5)).model_dump_json() == '{"lasted":90.0}'


def test_an_input_refuses_members_that_it_does_not_know() -> None:
    """A misspelt member is told to the caller."""
    with pytest.raises(ValidationError, match="extra_forbidden"):
        Address.model_validate({"street": "High Street", "zip": 1})


@pytest.mark.parametrize("body", [{}, None, {"unknown": 1}, {"weight": None}, {"weight": None, "label": None}])
def test_an_envelope_takes_null_for_absent_and_ignores_the_rest(body: object) -> None:
    """Null, also in place of the whole body, means the default."""
    assert Parcel.model_validate(body) == Parcel()


@pytest.mark.parametrize("body", [[], "text", 1, {"weight": "heavy"}, {"weight": float("inf")}])
def test_an_envelope_refuses_what_does_not_fit(body: object) -> None:
    """A body that is no object, or a member of another type, is a validation error."""
    with pytest.raises(ValidationError):
        Parcel.model_validate(body)


def test_a_trusted_model_is_like_a_validated_one() -> None:
    """Members that are right make the same model with and without validation."""
    members = _flow_members()
    trusted = Flow.trusted(dict(members))
    assert trusted == Flow.model_validate(members)
    assert trusted.model_dump_json() == Flow.model_validate(members).model_dump_json()
    assert trusted.model_copy(update={"name": "other"}).name == "other"


def test_a_trusted_model_has_all_its_members() -> None:
    """A member that the row lacks is found when the model is built, not by the client."""
    members = _flow_members()
    del members["tags"]
    with pytest.raises(TypeError, match="tags"):
        Flow.trusted(members)
