"""Somebody who lets a paused flow run go on."""

import sys
from uuid import UUID

from prefect.flow_runs import resume_flow_run

if __name__ == "__main__":
    resume_flow_run(UUID(sys.argv[1]))
