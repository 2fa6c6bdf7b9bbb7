"""Is it there, is it ready, what is it: what probes and clients ask before anything else."""

from starlette.responses import JSONResponse, Response

from lightwell.api.dependencies import Call, router_for
from lightwell.errors import Unavailable

router = router_for("", "Root")


@router.get("/hello")
async def hello() -> str:
    """Say hello."""
    return "👋"


@router.get("/ready", response_model=None, responses={503: {"description": "Not ready; the message says why."}})
async def perform_readiness_check(call: Call) -> Response:
    """Whether requests can be served: the database answers and no background loop is stale."""
    try:
        await call.here.database.ping()
    except Unavailable:
        return JSONResponse({"message": "Database is not available"}, 503, {"Retry-After": "1"})
    if stale := call.here.loops.stale():
        return JSONResponse(
            {"message": f"Background loops are stale: {', '.join(sorted(stale))}"}, 503, {"Retry-After": "5"}
        )
    return JSONResponse({"message": "OK"})
