"""What the server says of itself to clients: its version and its settings."""

from lightwell.api.dependencies import Call, router_for
from lightwell.contract.settings import Settings
from lightwell.contract.versions import SERVER_VERSION

router = router_for("/admin", "Admin")


@router.get("/settings")
async def read_settings(call: Call) -> Settings:
    """The settings, in the contract's vocabulary; secrets are masked."""
    return call.here.settings_view


@router.get("/version")
async def read_version() -> str:
    """The version that clients compare with their own."""
    return SERVER_VERSION
