"""A flow of somebody who traces with OpenTelemetry: the few lines are all that it takes."""

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from prefect import flow, task

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
HTTPXClientInstrumentor().instrument()


@task
def extract() -> list[int]:
    """Fetch the numbers."""
    return [1, 2, 3]


@task
def load(numbers: list[int]) -> int:
    """Add the numbers up."""
    return sum(numbers)


@flow
def etl() -> int:
    """Move numbers from here to there."""
    return load(extract())


if __name__ == "__main__":
    assert etl() == 6
