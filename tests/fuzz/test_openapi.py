"""Requests made up from the OpenAPI document: every answer is one that the document has.

`FUZZ_EXAMPLES=200` asks for so many requests of each operation instead of the few of every day, and
`FUZZ_SEED` for others.
"""

import os
from collections.abc import Iterator, Mapping
from datetime import timedelta
from random import Random
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, seed
from hypothesis import settings as hypothesis_settings
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from lightwell.api import ROUTERS
from tests.fuzz.wire import Served
from tests.fuzz.world import World

_SEED: Final = int(os.environ.get("FUZZ_SEED", "3"))
_ASKED_FOR: Final = int(os.environ.get("FUZZ_EXAMPLES", "0"))
_EXAMPLES: Final[Mapping[tuple[str, GenerationMode], int]] = {
    ("sqlite", GenerationMode.POSITIVE): 8,
    ("sqlite", GenerationMode.NEGATIVE): 4,
    ("postgresql", GenerationMode.POSITIVE): 2,
    ("postgresql", GenerationMode.NEGATIVE): 1,
}
_CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
_GROUPS: Final = sorted(ROUTERS)


@pytest.fixture(scope="module")
def operations(server: Served) -> list[APIOperation[Any, Any, Any, Any]]:
    """Every operation of the document that the server serves."""
    schema = schemathesis.openapi.from_dict(server.ask("GET", "/api/openapi.json").json())
    return [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]


@pytest.mark.parametrize("group", _GROUPS)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.value)
@pytest.mark.timeout(60 + 120 * _ASKED_FOR)
def test_every_answer_is_documented(
    server: Served,
    world: World,
    operations: list[APIOperation[Any, Any, Any, Any]],
    database: str,
    mode: GenerationMode,
    group: str,
) -> None:
    """Requests of the right shape, and of a wrong one, are never a server's error, nor answered in an unknown shape."""
    examples = _ASKED_FOR or _EXAMPLES[database, mode]
    problems = [
        problem
        for operation in operations
        if _group_of(operation.path) == group
        for problem in _problems(server, world, operation, mode, examples)
    ]
    assert not problems, "\n\n".join(problems)


def _group_of(path: str) -> str:
    return max((prefix for prefix in _GROUPS if path == prefix or path.startswith(f"{prefix}/")), key=len, default="")


def _problems(
    server: Served, world: World, operation: APIOperation[Any, Any, Any, Any], mode: GenerationMode, examples: int
) -> list[str]:
    world.renew()
    random = Random(_SEED)  # noqa: S311 -- it is to be the same each time
    problems: list[str] = []

    # Failures are collected, because a second run of the same request need not be answered the same.
    @seed(_SEED)
    @hypothesis_settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Case[Any]) -> None:
        assume(world.is_put_into(case, random))
        problems.extend(_problems_of_answer(server, case))

    try:
        ask()
    except Unsatisfiable:
        # There is no wrong way to ask some operations.
        assert mode is GenerationMode.NEGATIVE
    return problems


def _problems_of_answer(server: Served, case: Case[Any]) -> Iterator[str]:
    prepared = requests.Request(**case.as_transport_kwargs(base_url="http://lightwell.test/api")).prepare()
    assert prepared.url is not None
    assert prepared.method is not None
    parts = urlsplit(prepared.url)
    body = prepared.body or b""
    body = body.encode() if isinstance(body, str) else body
    assert isinstance(body, bytes)
    headers = [
        (name.lower().encode("latin-1"), value.encode("latin-1", "replace") if isinstance(value, str) else value)
        for name, value in prepared.headers.items()
        if name.lower() not in {"host", "accept-encoding", "content-length"}
    ]
    answer = server.ask(prepared.method, f"{parts.path}?{parts.query}", body, headers)
    response = httpx.Response(
        answer.status,
        headers=answer.headers,
        content=answer.body,
        request=httpx.Request(prepared.method, prepared.url),
    )
    response.elapsed = timedelta(0)
    try:
        case.validate_response(response, checks=_CHECKS)
    except FailureGroup as failures:
        for failure in failures.exceptions:
            yield f"{prepared.method} {parts.path}?{parts.query} {body[:2000]!r}\n{answer.status} {failure}"
