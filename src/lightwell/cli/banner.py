"""What a person who has just started the server wants to know."""

from lightwell import __version__
from lightwell.cli.reach import where
from lightwell.server.scraping import may_be_read
from lightwell.settings import Settings

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}  # noqa: S104 - recognised, not listened on


def banner(settings: Settings, port: int, metrics_port: int | None = None) -> str:
    """The addresses to open and where the data lies, a line each; the ports are those that were given out."""
    address = f"http://{_written(settings.listen.host)}:{port}"
    api = settings.api.public_url or f"{address}/api"
    lines = {
        "Pages": address if settings.ui.enabled else "",
        "API": f"{api}  (documents: {api}/docs)",
        "Metrics": _metrics(settings, address, metrics_port),
        "Database": where(settings),
        "Client": f"export PREFECT_API_URL={api}",
    }
    rows = [f"  {label:<9} {text}" for label, text in lines.items() if text]
    return "\n".join([f"Lightwell {__version__} is ready", *rows])


def _metrics(settings: Settings, address: str, port: int | None) -> str:
    if not may_be_read(settings):
        return ""
    return (
        f"{address}/metrics" if port is None else f"http://{_written(settings.telemetry.metrics_host)}:{port}/metrics"
    )


def _written(host: str) -> str:
    if host in _EVERYWHERE:
        return _EVERYWHERE[host]
    return f"[{host}]" if ":" in host else host
