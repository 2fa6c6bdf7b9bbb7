"""Why a flow run is where it is: an answer that the reference does not have."""

from lightwell.api.dependencies import Call, router_for
from lightwell.api.flow_runs import FlowRunId
from lightwell.contract.explanations import Explanation
from lightwell.operations import explanations

router = router_for("")


@router.get("/{id:uuid}/explain")
async def explain_flow_run(flow_run_id: FlowRunId, call: Call) -> Explanation:
    """Why the run is late, pending, waiting or failed, with all that was proposed for it, and the traces."""
    here = call.here
    return await call.db.read(explanations.explain, flow_run_id, here.expectations, here.loops.ages())
