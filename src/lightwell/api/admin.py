"""What the server says of itself to clients: its version and its settings."""

from fastapi import APIRouter

from lightwell.api.dependencies import ServicesHere
from lightwell.contract.settings import Settings
from lightwell.contract.versions import SERVER_VERSION

router = APIRouter(prefix="/admin", tags=["Admin"])


@router.get("/settings")
async def read_settings(here: ServicesHere) -> Settings:
    """The settings, in the contract's vocabulary; secrets are masked."""
    return here.settings_view


@router.get("/version")
async def read_version() -> str:
    """The version that clients compare with their own."""
    return SERVER_VERSION
