"""The settings of this server in the contract's vocabulary, for `GET /admin/settings`.

What the contract has and this server does not is answered with the contract's defaults; secrets are masked.
"""

from typing import Any

from lightwell.contract.events import MAX_EVENT_NAME_LENGTH, MAX_LABELS, MAX_RELATED
from lightwell.contract.settings import Settings as ContractSettings
from lightwell.contract.values import MAX_PARAMETERS_BYTES
from lightwell.settings import Settings


def settings_view(settings: Settings) -> ContractSettings:
    """The settings as clients know them."""
    api, loops = settings.api, settings.loops
    return ContractSettings.model_validate(
        {
            "home": str(settings.home),
            "server": {
                "api": {
                    "auth_string": api.auth_string,
                    "host": settings.listen.host,
                    "port": settings.listen.port,
                    "default_limit": api.default_limit,
                    "keepalive_timeout": round(settings.listen.keep_alive.total_seconds()),
                    "csrf_protection_enabled": api.csrf_enabled,
                    "csrf_token_expiration": api.csrf_token_expiration,
                    "cors_allowed_origins": ",".join(api.cors_origins),
                    "cors_allowed_methods": ",".join(api.cors_methods),
                    "cors_allowed_headers": ",".join(api.cors_headers),
                    "websocket_ping_interval": settings.listen.websocket_ping_interval.total_seconds(),
                    "websocket_ping_timeout": settings.listen.websocket_ping_timeout.total_seconds(),
                    "max_parameter_size": MAX_PARAMETERS_BYTES,
                },
                "database": {
                    "connection_url": settings.database.url,
                    "migrate_on_start": settings.database.migrate_on_start,
                    "timeout": settings.database.statement_timeout.total_seconds(),
                    "connection_timeout": settings.database.connect_timeout.total_seconds(),
                    "sqlalchemy": {"pool_size": settings.database.pool_size, "max_overflow": 0},
                },
                "events": _events(settings),
                "logs": {"stream_out_enabled": True, "stream_publishing_enabled": True},
                "services": {
                    "late_runs": _loop(loops.late_runs) | {"after_seconds": loops.late_runs.after},
                    "pause_expirations": _loop(loops.pause_expirations),
                    "cancellation_cleanup": _loop(loops.cancellation_cleanup)
                    | {"cancelling_timeout_seconds": loops.cancellation_cleanup.cancelling_timeout.total_seconds()},
                    "repossessor": _loop(loops.lease_expiry),
                },
                "ui": {"enabled": settings.ui.enabled, "api_url": settings.ui.api_url},
            },
        }
    )


def _events(settings: Settings) -> dict[str, Any]:
    events = settings.events
    return {
        "maximum_labels_per_resource": MAX_LABELS,
        "maximum_related_resources": MAX_RELATED,
        "maximum_event_name_length": MAX_EVENT_NAME_LENGTH,
        "maximum_websocket_backfill": events.backfill,
        "websocket_backfill_page_size": events.backfill_page,
    } | ({} if settings.loops.retention.events is None else {"retention_period": settings.loops.retention.events})


def _loop(loop: Any) -> dict[str, Any]:
    return {"enabled": loop.enabled, "loop_seconds": loop.period.total_seconds()}
