"""Files of a single page application: the browser's router decides what a path means, the server what is a file."""

import re
from os import PathLike, stat_result
from pathlib import PurePosixPath

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import Scope

INDEX = "index.html"
FOR_EVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"

# What bundlers add to a name: eight letters of base64 in assets/ (index-Dq3x_9Zk.js), or hexadecimal digits anywhere.
# A word of small letters is no hash, so that "some-component.js" is asked for again.
_HASHED = re.compile(
    r"(?:(?:^|/)assets/(?:[^/]*/)*[^/]*[-.](?=[\w-]*[0-9A-Z])[\w-]{8}|[-.](?=[0-9a-f]*[0-9])[0-9a-f]{8,64})\.\w+(?:\.map)?\Z"
)


class SPAStaticFiles(StaticFiles):
    """Static files where a path that is no file answers `index.html`, so that a page can be opened by its address.

    A missing path with a file extension is a true 404. Files whose name holds a hash of their content are cached for
    ever; all others, `index.html` first, are asked for again each time, and answered 304 while they are the same.
    """

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer the file, the index, or raise HTTPException 404 or 405."""
        try:
            return await super().get_response(path, scope)
        except HTTPException as error:
            # 401 is how the framework answers for a file that the server may not read: to a browser it is not there.
            if error.status_code not in {401, 404}:
                raise
            if "\0" in path or PurePosixPath(path).suffix:
                raise HTTPException(status_code=404) from None
        return await super().get_response(INDEX, scope)

    def file_response(
        self, full_path: str | PathLike[str], stat_result: stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """Answer a file with how long it may be kept, or 304 where the caller has it."""
        response = FileResponse(full_path, status_code=status_code, stat_result=stat_result)
        response.headers["cache-control"] = FOR_EVER if _HASHED.search(str(full_path)) else ASK_AGAIN
        if self.is_not_modified(response.headers, Headers(scope=scope)):
            return NotModifiedResponse(response.headers)
        return response
