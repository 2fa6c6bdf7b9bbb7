"""What a person who has just started the server wants to know."""

from lightwell import __version__
from lightwell.cli.reach import where
from lightwell.settings import Settings

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}  # noqa: S104 - recognised, not listened on


def banner(settings: Settings, port: int) -> str:
    """The addresses to open and where the data lies, a line each; `port` is the one that was given out."""
    address = f"http://{_written(settings.listen.host)}:{port}"
    api = settings.api.public_url or f"{address}/api"
    lines = {
        "Pages": address if settings.ui.enabled else "",
        "API": f"{api}  (documents: {api}/docs)",
        "Database": where(settings),
        "Client": f"export PREFECT_API_URL={api}",
    }
    rows = [f"  {label:<9} {text}" for label, text in lines.items() if text]
    return "\n".join([f"Lightwell {__version__} is ready", *rows])


def _written(host: str) -> str:
    if host in _EVERYWHERE:
        return _EVERYWHERE[host]
    return f"[{host}]" if ":" in host else host
