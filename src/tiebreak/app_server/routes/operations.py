"""The interface's own description, for machines."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, get


@get("/openapi.json", include_in_schema=False, sync_to_thread=False)
def show_openapi(request: Request[Any, Any, Any]) -> Response[bytes]:
    """OpenAPI 3.1."""
    document = request.app.openapi_schema.to_schema()
    return Response(msgspec.json.encode(document), media_type="application/json")
