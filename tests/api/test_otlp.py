"""Spans of clients, sent to `/v1/traces` as exporters send them: taken, refused or asked for again, never a failure."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from lightwell.instrumentation.metrics import GAUGES
from lightwell.server import create_app
from lightwell.settings import ApiSettings, Settings, TelemetrySettings, TraceStoreSettings
from tests.api.conftest import client_of
from tests.telemetry.otlp.sending import SPAN, TRACE, attribute, binary, request, span, textual

URL = "http://lightwell.test/v1/traces"
BINARY = "application/x-protobuf"
TEXTUAL = "application/json"
RUN = "0190a5d0-ac96-774b-bcce-b302099a8057"
FORMS = pytest.mark.parametrize(("media_type", "write"), [(BINARY, binary), (TEXTUAL, textual)])

Write = Callable[[Any], bytes]


@asynccontextmanager
async def receiving(home: Path, *, ratio: float = 0.0, **telemetry: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server with these settings, whose bodies may have 64 kB."""
    settings = Settings(
        home=home,
        api=ApiSettings(max_request_body=65_536),
        telemetry=TelemetrySettings(baseline_ratio=ratio, **telemetry),
    )
    async with client_of(create_app(settings, ignore_cache=True, ephemeral=True)) as client:
        yield client


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server that keeps failures alone."""
    async with receiving(tmp_path) as client:
        yield client


async def sent(client: httpx.AsyncClient, body: bytes, media_type: str = BINARY, **headers: str) -> httpx.Response:
    """The answer to a delivery."""
    shown = {name.replace("_", "-"): value for name, value in headers.items()}
    return await client.post(URL, content=body, headers={"content-type": media_type, **shown})


async def stored(client: httpx.AsyncClient, trace_id: str = TRACE.hex()) -> dict[str, Any]:
    """A trace as the store has it."""
    answer = await client.get(f"/telemetry/traces/{trace_id}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@FORMS
@pytest.mark.parametrize("is_packed", [False, True])
async def test_spans_are_in_the_store_at_once(
    server: httpx.AsyncClient,
    media_type: str,
    write: Write,
    is_packed: bool,  # noqa: FBT001 -- a case
) -> None:
    """In both forms, packed or not; the answer is of the same form, and says nothing where all is well."""
    flow = span(
        name="brave-otter",
        attributes=[attribute("prefect.run.type", string_value="flow"), attribute("prefect.run.id", string_value=RUN)],
        status=Status(code=Status.STATUS_CODE_ERROR, message="Flow run failed"),
    )
    task = span(span_id=SPAN[::-1], parent_span_id=SPAN, name="load-0", flags=0x101)
    body = write(request([task, flow]))
    packing = {"content_encoding": "gzip"} if is_packed else {"content_encoding": "identity"}
    answer = await sent(server, gzip.compress(body) if is_packed else body, media_type, **packing)

    assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)
    assert answer.content == (b"" if media_type == BINARY else b"{}")
    trace = await stored(server)
    assert [(one["name"], one["depth"], one["service"]) for one in trace["spans"]] == [
        ("brave-otter", 0, "a client"),
        ("load-0", 1, "a client"),
    ]
    assert trace["flow_run_ids"] == [RUN]
    page = (await server.get("/telemetry/traces", params={"flow_run_id": RUN, "failed": True})).json()
    assert [one["name"] for one in page["traces"]] == ["brave-otter"]


@FORMS
async def test_what_is_not_taken_is_told(server: httpx.AsyncClient, media_type: str, write: Write) -> None:
    """The rest is taken: a partial success, in the form of the request, and in the metric."""
    before = dict(GAUGES.received)
    answer = await sent(server, write(request([span(), span(trace_id=b"")])), media_type)

    assert answer.status_code == 200
    told: Any = (
        ExportTraceServiceResponse.FromString(answer.content).partial_success
        if media_type == BINARY
        else answer.json()["partialSuccess"]
    )
    rejected = told.rejected_spans if media_type == BINARY else int(told["rejectedSpans"])
    message = told.error_message if media_type == BINARY else told["errorMessage"]
    assert (rejected, message) == (1, "1 without valid ids, or of a time that never was")
    assert {why: n - before.get(why, 0) for why, n in GAUGES.received.items() if n != before.get(why, 0)} == {
        "taken": 1,
        "invalid": 1,
    }
    assert len((await stored(server))["spans"]) == 1


@pytest.mark.parametrize(
    ("body", "media_type", "headers", "status"),
    [
        (b"\x0a", BINARY, {}, 400),
        (b"{", TEXTUAL, {}, 400),
        (b'{"resourceSpans":1}', f"{TEXTUAL}; charset=utf-8", {}, 400),
        (b"no gzip", BINARY, {"content_encoding": "gzip"}, 400),
        (gzip.compress(binary(request([span()])))[:-9], BINARY, {"content_encoding": "gzip"}, 400),
        (b"", BINARY, {"content_encoding": "br"}, 415),
        (b"", TEXTUAL, {"content_encoding": "gzip, gzip"}, 415),
        (gzip.compress(bytes(1_000_000)), BINARY, {"content_encoding": "gzip"}, 413),
        (gzip.compress(bytes(65_000)) * 2, BINARY, {"content_encoding": "gzip"}, 413),
    ],
)
async def test_what_is_wrong_with_a_delivery_is_told_in_its_form(
    server: httpx.AsyncClient, body: bytes, media_type: str, headers: dict[str, str], status: int
) -> None:
    """A google.rpc.Status, so that exporters can tell it; nothing is stored."""
    answer = await sent(server, body, media_type, **headers)

    assert answer.status_code == status
    assert answer.headers["content-type"] == media_type.partition(";")[0]
    code, message = told_by(answer)
    assert code in {3, 8, 12}
    assert message.endswith(".")
    assert (await server.get("/telemetry/traces")).json()["traces"] == []


def told_by(answer: httpx.Response) -> tuple[int, str]:
    """What a google.rpc.Status says."""
    if answer.headers["content-type"] == TEXTUAL:
        document = answer.json()
        return document["code"], document["message"]
    code, length = answer.content[1], answer.content[3]
    assert answer.content[0::2][:2] == b"\x08\x12"
    assert len(answer.content) == 4 + length
    return code, answer.content[4:].decode()


@pytest.mark.parametrize(
    ("method", "headers", "status", "name", "value"),
    [
        ("GET", {}, 405, "allow", "POST"),
        ("DELETE", {}, 405, "allow", "POST"),
        ("POST", {}, 415, "accept", "application/x-protobuf, application/json"),
        ("POST", {"content-type": "text/plain"}, 415, "accept", "application/x-protobuf, application/json"),
        ("POST", {"content-type": BINARY, "content-length": "70000"}, 413, "connection", "close"),
    ],
)
async def test_what_is_no_delivery(
    server: httpx.AsyncClient, method: str, headers: dict[str, str], status: int, name: str, value: str
) -> None:
    """Another method, another kind of content, too much of it."""
    answer = await server.request(method, URL, content=bytes(70_000) if status == 413 else b"", headers=headers)

    assert (answer.status_code, answer.headers[name]) == (status, value)


@pytest.mark.parametrize(
    "telemetry",
    [
        {"receive_spans": False},
        {"store": TraceStoreSettings(mode="off")},
        {"enabled": False},
    ],
    ids=["turned off", "no store", "no telemetry"],
)
async def test_nothing_is_received_where_there_is_nothing_to_put_it_in(
    tmp_path: Path, telemetry: dict[str, Any]
) -> None:
    """It is as if there were no such path."""
    async with receiving(tmp_path, **telemetry) as client:
        assert (await sent(client, b"")).status_code == 404
        assert (await client.get(URL)).status_code == 404


async def test_credentials_are_those_of_the_api(tmp_path: Path) -> None:
    """Who does not have them puts nothing into the store; a CSRF token is not asked for, as no exporter has one."""
    settings = Settings(home=tmp_path, api=ApiSettings.model_validate({"auth_string": "a:b", "csrf_enabled": True}))
    async with client_of(create_app(settings, ignore_cache=True, ephemeral=True)) as client:
        refused = await sent(client, binary(request([span()])))
        taken = await sent(client, binary(request([span()])), authorization="Basic YTpi")

    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, 'Basic realm="lightwell"')
    assert taken.status_code == 200


async def test_a_delivery_is_never_part_of_the_baseline(tmp_path: Path) -> None:
    """The store would feed on itself; a delivery that fails is kept as every failure is."""
    async with receiving(tmp_path, ratio=1.0) as client:
        kept = dict(GAUGES.kept)
        traced = await sent(client, binary(request([])), traceparent=f"00-{TRACE.hex()}-{SPAN.hex()}-01")
        assert traced.status_code == 200
        assert GAUGES.kept == kept
        assert (await client.get("/health")).status_code == 200
        assert GAUGES.kept["baseline"] == kept.get("baseline", 0) + 1


async def test_the_store_is_full(server: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exporters are asked to come again, in seconds; it is no failure of the server."""
    monkeypatch.setattr("lightwell.telemetry.store.TraceStore.has_room", False)
    answer = await sent(server, textual(request([span()])), TEXTUAL)

    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    assert told_by(answer) == (8, "The store of traces is full for now.")


async def test_the_store_is_out_of_order(tmp_path: Path) -> None:
    """Its file cannot be written: exporters are asked to come again, in minutes."""
    (tmp_path / "there").mkdir()
    store = TraceStoreSettings(mode="file", path=tmp_path / "there")
    async with receiving(tmp_path, store=store) as client:
        answer = await sent(client, binary(request([span()])))
        async with asyncio.timeout(10):
            while answer.status_code == 200:
                answer = await sent(client, binary(request([span()])))

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    assert told_by(answer)[0] == 14


async def test_many_at_once_are_bounded(server: httpx.AsyncClient) -> None:
    """What is read at a time is; the others are asked to come again, and lose nothing."""
    body = binary(request([span(attributes=[attribute(f"a{n}", int_value=n) for n in range(100)])] * 20))
    answers = await asyncio.gather(*[sent(server, body) for _ in range(60)])

    statuses = {answer.status_code for answer in answers}
    assert statuses == {200, 429}
    assert all(answer.headers["retry-after"] == "1" for answer in answers if answer.status_code == 429)
    assert (await sent(server, body)).status_code == 200


async def test_secrets_of_a_client_are_not_written_to_our_own_log(
    server: httpx.AsyncClient, capfd: pytest.CaptureFixture[str]
) -> None:
    """What a client puts on its spans is its own affair, and stays in the store."""
    body = textual(request([span(attributes=[attribute("password", string_value="hunter2")]), span(trace_id=b"")]))
    assert (await sent(server, body, TEXTUAL)).status_code == 200
    assert (await sent(server, body[:-5], TEXTUAL)).status_code == 400

    written = "".join(capfd.readouterr())
    assert "spans_taken" in written
    assert "hunter2" not in written
    assert (await stored(server))["spans"][0]["attributes"]["password"] == "hunter2"
