"""The interface's own description, for machines."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get

from tiebreak.app_server.descriptions import Descriptions
from tiebreak.http_edge.description import FACTS, Facts, JsonObject


@get("/openapi.json", opt={FACTS: Facts(content=JsonObject)})
async def show_openapi(request: Request[Any, Any, Any], descriptions: Descriptions) -> Response[bytes]:
    """This document, OpenAPI 3.1."""
    return Response(await descriptions.document(request.app), media_type="application/json")
