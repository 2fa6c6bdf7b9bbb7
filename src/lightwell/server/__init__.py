"""The public face: the factories of the applications, and what they are made of.

The only stratum that knows all parts: `application.py` makes the whole server, `rest.py` its API alone, `runtime.py`
what lives while they are served.
"""

from lightwell.api.problems import (
    custom_internal_exception_handler,
    integrity_exception_handler,
    prefect_object_not_found_exception_handler,
    validation_exception_handler,
)
from lightwell.server.application import create_app
from lightwell.server.rest import create_api_app, create_orion_api
from lightwell.ui.static import SPAStaticFiles

__all__ = [
    "SPAStaticFiles",
    "create_api_app",
    "create_app",
    "create_orion_api",
    "custom_internal_exception_handler",
    "integrity_exception_handler",
    "prefect_object_not_found_exception_handler",
    "validation_exception_handler",
]
