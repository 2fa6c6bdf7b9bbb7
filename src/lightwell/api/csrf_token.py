"""CSRF tokens; every client object asks for one before its first change."""

from typing import Annotated

from fastapi import APIRouter, Query

from lightwell.api.dependencies import Db, ServicesHere
from lightwell.contract.csrf import CsrfToken
from lightwell.errors import Invalid
from lightwell.operations import csrf_tokens

router = APIRouter(prefix="/csrf-token")


@router.get("")
async def create_csrf_token(
    client: Annotated[str, Query(description="Any name that the client has given itself")], db: Db, here: ServicesHere
) -> CsrfToken:
    """A new token for a client; 422 where the server asks for none, which tells the client to go on without."""
    if here.csrf_token_lifetime is None:
        message = "CSRF protection is disabled."
        raise Invalid(message)
    return await db.write(csrf_tokens.issue, client, here.csrf_token_lifetime)
