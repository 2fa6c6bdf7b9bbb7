"""CSRF tokens; every client object asks for one before its first change."""

from typing import Annotated

from fastapi import Query

from lightwell.api.dependencies import Call, router_for
from lightwell.contract.csrf import CsrfToken
from lightwell.errors import Invalid
from lightwell.operations import csrf_tokens

router = router_for("/csrf-token")


@router.get("")
async def create_csrf_token(
    client: Annotated[str, Query(description="Any name that the client has given itself")], call: Call
) -> CsrfToken:
    """A new token for a client; 422 where the server asks for none, which tells the client to go on without."""
    if call.here.csrf_token_lifetime is None:
        message = "CSRF protection is disabled."
        raise Invalid(message)
    return await call.db.write(csrf_tokens.issue, client, call.here.csrf_token_lifetime)
