"""A real collector hands spans on to the server, which takes them as any other that speaks OTLP would."""

from pathlib import Path

import httpx
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue

from tests.collector.real import Collector, until
from tests.serving import Serving, lightwell_server
from tests.telemetry.otlp.sending import TRACE, attribute, binary, request, span

CONFIGURATION = Path(__file__).with_name("to-a-server.yaml")


def deliveries(server: Serving) -> list[tuple[int, int]]:
    """What the server answered to each delivery, and how many spans it took."""
    lines = [line for line in server.log_lines() if line.get("route") == "/v1/traces"]
    return [(line["status"], line["spans_taken"]) for line in lines]


def test_both_forms_of_a_real_collector_are_taken(otelcol: Path, tmp_path: Path) -> None:
    """Its binary form, packed by gzip, and its JSON: each span is there once, with the values that it was sent with."""
    values = ArrayValue(values=[AnyValue(int_value=2**53 + 1), AnyValue(bool_value=True)])
    sent = span(
        attributes=[
            attribute("octets", bytes_value=b"\x00\xff"),
            attribute("half", double_value=0.5),
            attribute("list", array_value=values),
        ]
    )
    with lightwell_server(tmp_path / "server") as server:
        address = server.api_url.removesuffix("/api")
        collector = Collector(otelcol, tmp_path, (CONFIGURATION,), {"TEST_SERVER": address})
        collector.start()
        try:
            headers = {"content-type": "application/x-protobuf"}
            url = f"{collector.address}/v1/traces"
            httpx.post(url, content=binary(request([sent])), headers=headers).raise_for_status()
            until(lambda: len(deliveries(server)) == 2, "both deliveries have come")
        finally:
            collector.stop()
        assert deliveries(server) == [(200, 1), (200, 1)]
        (stored,) = httpx.get(f"{server.api_url}/telemetry/traces/{TRACE.hex()}").json()["spans"]

    assert (stored["name"], stored["service"]) == ("work", "a client")
    assert {name: stored["attributes"][name] for name in ("octets", "half", "list")} == {
        "octets": "AP8=",
        "half": 0.5,
        "list": [2**53 + 1, True],
    }
